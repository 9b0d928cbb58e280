//! A PDF file as a browser prints it: found objects, and changes that are written behind its end.
//!
//! Chromium's files have a plain table of objects and no compressed ones, so that a change is an appended part that
//! the format itself provides for: nothing of what was printed is written anew.

use std::collections::{BTreeMap, BTreeSet};

use super::object::{Dictionary, Object, Reader};

/// So often a file may have been changed by appending to it.
const PARTS: usize = 32;
/// More pages than this nobody prints.
const MOST_PAGES: usize = 100_000;

/// A file that was read.
pub(super) struct File {
    bytes: Vec<u8>,
    /// Where each object starts.
    places: BTreeMap<u32, usize>,
    trailer: Dictionary,
    last_table: usize,
    changed: BTreeMap<u32, Object>,
    next: u32,
}

impl File {
    /// Reads the table of objects.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let tail = bytes.len().saturating_sub(2048);
        let mark = b"startxref";
        let found = bytes.get(tail..)?.windows(mark.len()).rposition(|window| window == mark)?;
        let last_table = usize::try_from(Reader::new(&bytes, tail + found + mark.len()).number()?).ok()?;
        let mut places = BTreeMap::new();
        let mut newest: Option<Dictionary> = None;
        let mut at = Some(last_table);
        for _ in 0..PARTS {
            let Some(place) = at else { break };
            let trailer = table(&bytes, place, &mut places)?;
            at = match trailer.get("Prev") {
                Some(Object::Plain(number)) => Some(number.parse().ok()?),
                _ => None,
            };
            newest.get_or_insert(trailer);
        }
        let trailer = newest?;
        let next = places.keys().next_back()?.checked_add(1)?;
        Some(Self { bytes, places, trailer, last_table, changed: BTreeMap::new(), next })
    }

    /// An object, as changed.
    pub(super) fn object(&self, number: u32) -> Option<Object> {
        if let Some(changed) = self.changed.get(&number) {
            return Some(changed.clone());
        }
        let mut reader = Reader::new(&self.bytes, *self.places.get(&number)?);
        (reader.number()? == u64::from(number)).then_some(())?;
        reader.number()?;
        reader.word("obj")?;
        reader.object()
    }

    pub(super) fn dictionary(&self, number: u32) -> Option<Dictionary> {
        match self.object(number)? {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// The object that everything hangs on.
    pub(super) fn root(&self) -> Option<u32> {
        self.trailer.reference("Root")
    }

    /// The object with the facts about the document.
    pub(super) fn info(&self) -> Option<u32> {
        self.trailer.reference("Info")
    }

    /// The pages in their order.
    pub(super) fn pages(&self) -> Option<Vec<u32>> {
        let mut pages = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![self.dictionary(self.root()?)?.reference("Pages")?];
        while let Some(number) = open.pop() {
            if !seen.insert(number) || pages.len() > MOST_PAGES {
                return None;
            }
            let node = self.dictionary(number)?;
            match node.get("Kids") {
                Some(Object::Array(kids)) => {
                    let kids: Option<Vec<u32>> = kids.iter().map(reference).collect();
                    open.extend(kids?.into_iter().rev());
                }
                _ => pages.push(number),
            }
        }
        Some(pages)
    }

    /// The numbers of those objects whose text holds `words`.
    pub(super) fn holding(&self, words: &[u8]) -> Vec<u32> {
        let mut hits = Vec::new();
        let mut from = 0;
        while let Some(found) = self.bytes.get(from..).and_then(|rest| position(rest, words)) {
            hits.push(from + found);
            from += found + words.len();
        }
        let mut starts: Vec<(usize, u32)> = self.places.iter().map(|(number, place)| (*place, *number)).collect();
        starts.sort_unstable();
        let owners = hits.iter().filter_map(|hit| {
            let after = starts.partition_point(|(place, _)| place <= hit);
            starts.get(after.checked_sub(1)?).map(|(_, number)| *number)
        });
        owners.collect::<BTreeSet<u32>>().into_iter().collect()
    }

    /// Puts another object in the place of one.
    pub(super) fn replace(&mut self, number: u32, object: Dictionary) {
        self.changed.insert(number, Object::Dictionary(object));
    }

    /// A number for an object that is yet to be written.
    pub(super) fn reserve(&mut self) -> u32 {
        let number = self.next;
        self.next += 1;
        number
    }

    /// A further object.
    pub(super) fn add(&mut self, object: Dictionary) -> u32 {
        let number = self.reserve();
        self.replace(number, object);
        number
    }

    /// The file with its changes.
    pub(super) fn written(self) -> Vec<u8> {
        let Self { bytes: mut out, changed, mut trailer, last_table, next, .. } = self;
        if changed.is_empty() {
            return out;
        }
        if !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        let mut places = Vec::with_capacity(changed.len());
        for (number, object) in &changed {
            places.push((*number, out.len()));
            out.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
            object.write(&mut out);
            out.extend_from_slice(b"\nendobj\n");
        }
        let start = out.len();
        out.extend_from_slice(b"xref\n");
        for run in places.chunk_by(|a, b| a.0 + 1 == b.0) {
            let first = run.first().map_or(0, |(number, _)| *number);
            out.extend_from_slice(format!("{first} {}\n", run.len()).as_bytes());
            for (_, place) in run {
                out.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
            }
        }
        trailer.set("Size", Object::Plain(next.to_string()));
        trailer.set("Prev", Object::integer(last_table));
        out.extend_from_slice(b"trailer\n");
        Object::Dictionary(trailer).write(&mut out);
        out.extend_from_slice(format!("\nstartxref\n{start}\n%%EOF\n").as_bytes());
        out
    }
}

/// Reads one table; places that are known are newer. Gives the trailer behind it.
fn table(bytes: &[u8], at: usize, places: &mut BTreeMap<u32, usize>) -> Option<Dictionary> {
    let mut reader = Reader::new(bytes, at);
    reader.word("xref")?;
    while reader.word("trailer").is_none() {
        let first = u32::try_from(reader.number()?).ok()?;
        let count = u32::try_from(reader.number()?).ok()?;
        for index in 0..count {
            let place = usize::try_from(reader.number()?).ok()?;
            reader.number()?;
            if reader.word("n").is_some() {
                places.entry(first.checked_add(index)?).or_insert(place);
            } else {
                reader.word("f")?;
            }
        }
    }
    match reader.object()? {
        Object::Dictionary(trailer) => Some(trailer),
        _ => None,
    }
}

fn reference(object: &Object) -> Option<u32> {
    match object {
        Object::Reference(number) => Some(*number),
        _ => None,
    }
}

fn position(bytes: &[u8], words: &[u8]) -> Option<usize> {
    let (first, _) = words.split_first()?;
    let mut from = 0;
    loop {
        let found = from + bytes.get(from..)?.iter().position(|byte| byte == first)?;
        if bytes.get(found..)?.starts_with(words) {
            return Some(found);
        }
        from = found + 1;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file with these objects, numbered from 1; the first is the root, the second the facts.
    pub(in crate::export::pdf) fn made_of(objects: &[&str]) -> Vec<u8> {
        let mut out = b"%PDF-1.4\n".to_vec();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
        for (index, object) in objects.iter().enumerate() {
            table.push_str(&format!("{:010} 00000 n \n", out.len()));
            out.extend_from_slice(format!("{} 0 obj\n{object}\nendobj\n", index + 1).as_bytes());
        }
        let start = out.len();
        let size = objects.len() + 1;
        out.extend_from_slice(table.as_bytes());
        let end = format!("trailer\n<</Size {size}\n/Root 1 0 R\n/Info 2 0 R>>\nstartxref\n{start}\n%%EOF\n");
        out.extend_from_slice(end.as_bytes());
        out
    }

    #[test]
    fn changes_are_appended_and_found_again() {
        let before = made_of(&["<</Pages 3 0 R>>", "<<>>", "<</Kids [4 0 R 5 0 R]>>", "<</A 1>>", "<</B (word)>>"]);
        let mut file = File::read(before.clone()).unwrap();
        assert_eq!(file.pages().unwrap(), [4, 5]);
        assert_eq!(file.holding(b"word"), [5]);
        file.replace(4, Dictionary::default().with("A", Object::integer(2)));
        assert_eq!(file.add(Dictionary::default()), 6);
        let after = file.written();
        assert!(after.starts_with(&before));
        let again = File::read(after).unwrap();
        assert_eq!(again.dictionary(4).unwrap().get("A"), Some(&Object::integer(2)));
        assert_eq!(again.dictionary(5).unwrap().get("B"), Some(&Object::words("word")));
        assert_eq!(again.dictionary(6).unwrap(), Dictionary::default());
        assert_eq!(again.pages().unwrap(), [4, 5]);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let whole = made_of(&["<</Pages 3 0 R>>", "<<>>", "<</Kids [3 0 R]>>"]);
        // Pages that contain themselves.
        assert_eq!(File::read(whole.clone()).unwrap().pages(), None);
        for length in 0..whole.len() - 8 {
            let part = whole[..length].to_vec();
            assert!(File::read(part).is_none_or(|file| file.pages().is_none()), "{length}");
        }
        assert!(File::read(b"%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF".to_vec()).is_none());
    }
}
