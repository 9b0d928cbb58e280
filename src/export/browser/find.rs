//! Where browsers are that can print: what was named, then the PATH, then the usual places of the system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A family of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// Google Chrome, Chromium, and what is built on it.
    Chrome,
    /// Microsoft Edge.
    Edge,
    /// Firefox, which cannot be driven.
    Firefox,
}

impl Brand {
    /// The browser of a name, as Marp's `--browser` has them.
    pub fn of_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "chrome" | "chromium" | "google-chrome" => Self::Chrome,
            "edge" | "msedge" | "microsoft-edge" => Self::Edge,
            "firefox" => Self::Firefox,
            _ => return None,
        })
    }
}

/// A kind of system, as far as places of programs differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Linux and other systems like it.
    Unix,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl System {
    /// The one that this program was built for.
    pub fn here() -> Self {
        match std::env::consts::OS {
            "macos" => Self::MacOs,
            "windows" => Self::Windows,
            _ => Self::Unix,
        }
    }
}

/// The machine, as the search sees it.
pub struct Machine<'a> {
    /// Its kind.
    pub system: System,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// Whether a file is there that may be run.
    pub is_program: &'a dyn Fn(&Path) -> bool,
}

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The browser itself; nothing else will do.
    pub path: Option<PathBuf>,
    /// Its brands, best first; empty for any.
    pub brands: Vec<Brand>,
}

/// A browser, and why it is this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The program.
    pub path: PathBuf,
    /// What named it: an option, a variable, the PATH, or a usual place.
    pub by: String,
}

/// A search and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// The browser.
    pub found: Option<Found>,
    /// Where nothing was, in the order looked at.
    pub looked: Vec<String>,
    /// Variables that name something that cannot be run.
    pub dead: Vec<String>,
}

/// Variables that name a browser: Marp's.
const VARIABLES: [&str; 2] = ["CHROME_PATH", "BROWSER_PATH"];

/// Programs on the PATH. The headless shells start fastest and have no window to open.
const NAMES: [(Brand, &str); 9] = [
    (Brand::Chrome, "chrome-headless-shell"),
    (Brand::Chrome, "chromium-headless-shell"),
    (Brand::Chrome, "google-chrome-stable"),
    (Brand::Chrome, "google-chrome"),
    (Brand::Chrome, "chromium"),
    (Brand::Chrome, "chromium-browser"),
    (Brand::Chrome, "chrome"),
    (Brand::Edge, "microsoft-edge-stable"),
    (Brand::Edge, "microsoft-edge"),
];

/// Usual places; one that starts with `$NAME/` is below the folder that a variable names.
const PLACES: [(System, Brand, &str); 18] = [
    (System::Unix, Brand::Chrome, "/opt/google/chrome/chrome"),
    (System::Unix, Brand::Chrome, "/usr/lib/chromium/chromium"),
    (System::Unix, Brand::Chrome, "/usr/lib64/chromium-browser/chromium-browser"),
    (System::Unix, Brand::Chrome, "/snap/bin/chromium"),
    (System::Unix, Brand::Edge, "/opt/microsoft/msedge/msedge"),
    (System::MacOs, Brand::Chrome, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    (System::MacOs, Brand::Chrome, "/Applications/Chromium.app/Contents/MacOS/Chromium"),
    (System::MacOs, Brand::Edge, "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
    (System::MacOs, Brand::Chrome, "$HOME/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    (System::MacOs, Brand::Chrome, "$HOME/Applications/Chromium.app/Contents/MacOS/Chromium"),
    (System::MacOs, Brand::Edge, "$HOME/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
    (System::Windows, Brand::Chrome, "$ProgramFiles/Google/Chrome/Application/chrome.exe"),
    (System::Windows, Brand::Chrome, "$ProgramFiles(x86)/Google/Chrome/Application/chrome.exe"),
    (System::Windows, Brand::Chrome, "$LOCALAPPDATA/Google/Chrome/Application/chrome.exe"),
    (System::Windows, Brand::Chrome, "$LOCALAPPDATA/Chromium/Application/chrome.exe"),
    (System::Windows, Brand::Edge, "$ProgramFiles(x86)/Microsoft/Edge/Application/msedge.exe"),
    (System::Windows, Brand::Edge, "$ProgramFiles/Microsoft/Edge/Application/msedge.exe"),
    (System::Windows, Brand::Edge, "$LOCALAPPDATA/Microsoft/Edge/Application/msedge.exe"),
];

/// Looks for a browser.
pub fn search(wanted: &Wanted, machine: &Machine<'_>) -> Search {
    let mut search = Search::default();
    if let Some(path) = &wanted.path {
        if (machine.is_program)(path) {
            search.found = Some(Found { path: path.clone(), by: "--browser-path".to_owned() });
        } else {
            search.looked.push(format!("--browser-path: `{}` is no program", path.display()));
        }
        return search;
    }
    for name in VARIABLES {
        let Some(value) = (machine.variable)(name).filter(|value| !value.is_empty()) else { continue };
        let path = PathBuf::from(value);
        if (machine.is_program)(&path) {
            search.found = Some(Found { path, by: name.to_owned() });
            return search;
        }
        search.dead.push(format!("{name}: `{}` is no program", path.display()));
    }
    let default = [Brand::Chrome, Brand::Edge];
    let brands: &[Brand] = if wanted.brands.is_empty() { &default } else { &wanted.brands };
    for brand in brands {
        search.brand(*brand, machine);
        if search.found.is_some() {
            break;
        }
    }
    search
}

impl Search {
    fn brand(&mut self, brand: Brand, machine: &Machine<'_>) {
        let names: Vec<&str> = NAMES.iter().filter(|(of, _)| *of == brand).map(|(_, name)| *name).collect();
        let suffix = if machine.system == System::Windows { ".exe" } else { "" };
        let path = (machine.variable)("PATH").unwrap_or_default();
        for name in &names {
            let mut folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
            let file = folders.find_map(|folder| {
                let file = folder.join(format!("{name}{suffix}"));
                (machine.is_program)(&file).then_some(file)
            });
            if let Some(path) = file {
                self.found = Some(Found { path, by: "the PATH".to_owned() });
                return;
            }
        }
        if !names.is_empty() {
            self.looked.push(format!("on the PATH: {}", names.join(", ")));
        }
        for (system, of, place) in PLACES {
            if system != machine.system || of != brand {
                continue;
            }
            let Some(path) = resolved(place, machine) else { continue };
            if (machine.is_program)(&path) {
                self.found = Some(Found { path, by: "its usual place".to_owned() });
                return;
            }
            self.looked.push(path.display().to_string());
        }
    }
}

fn resolved(place: &str, machine: &Machine<'_>) -> Option<PathBuf> {
    let Some(rest) = place.strip_prefix('$') else { return Some(place.into()) };
    let (name, below) = rest.split_once('/')?;
    let folder = PathBuf::from((machine.variable)(name)?);
    folder.is_absolute().then(|| folder.join(below))
}

/// How to get a browser.
pub fn how_to_install(system: System) -> &'static str {
    match system {
        System::Unix => {
            "install one, for example `apt install chromium` or `dnf install chromium`, or name one with \
             `--browser-path` or CHROME_PATH"
        }
        System::MacOs => {
            "install one, for example `brew install --cask chromium`, or name one with `--browser-path` or CHROME_PATH"
        }
        System::Windows => "install Chrome or Edge, or name one with `--browser-path` or CHROME_PATH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(system: System, variables: &[(&str, &str)], programs: &[&str], wanted: &Wanted) -> Search {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        let is_program = |path: &Path| programs.iter().any(|program| Path::new(program) == path);
        search(wanted, &Machine { system, variable: &variable, is_program: &is_program })
    }

    #[test]
    fn the_first_browser_in_order_is_taken() {
        let edge = Wanted { brands: vec![Brand::Edge, Brand::Chrome], ..Wanted::default() };
        let named = Wanted { path: Some("/x/chrome".into()), ..Wanted::default() };
        let path = ("PATH", "/a:/b");
        for (variables, programs, wanted, expected) in [
            (vec![path], vec!["/b/chromium"], Wanted::default(), Some(("/b/chromium", "the PATH"))),
            (
                vec![path],
                vec!["/a/chromium", "/b/google-chrome"],
                Wanted::default(),
                Some(("/b/google-chrome", "the PATH")),
            ),
            (vec![path], vec!["/a/chromium", "/a/microsoft-edge"], edge, Some(("/a/microsoft-edge", "the PATH"))),
            (
                vec![path, ("CHROME_PATH", "/c")],
                vec!["/c", "/a/chromium"],
                Wanted::default(),
                Some(("/c", "CHROME_PATH")),
            ),
            (
                vec![path, ("CHROME_PATH", "/c")],
                vec!["/a/chromium"],
                Wanted::default(),
                Some(("/a/chromium", "the PATH")),
            ),
            (vec![], vec!["/snap/bin/chromium"], Wanted::default(), Some(("/snap/bin/chromium", "its usual place"))),
            (vec![("PATH", ".")], vec!["./chromium"], Wanted::default(), None),
            (vec![path], vec!["/a/chromium"], named.clone(), None),
            (vec![], vec!["/x/chrome"], named, Some(("/x/chrome", "--browser-path"))),
        ] {
            let found = look(System::Unix, &variables, &programs, &wanted).found;
            let expected = expected.map(|(path, by)| Found { path: path.into(), by: by.to_owned() });
            assert_eq!(found, expected, "{programs:?}");
        }
    }

    #[test]
    fn what_was_looked_for_is_told() {
        let variables = [("CHROME_PATH", "/c"), ("HOME", "/Users/a")];
        let nothing = look(System::MacOs, &variables, &[], &Wanted { brands: vec![Brand::Edge], path: None });
        let expected = Search {
            found: None,
            looked: vec![
                "on the PATH: microsoft-edge-stable, microsoft-edge".to_owned(),
                "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge".to_owned(),
                "/Users/a/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge".to_owned(),
            ],
            dead: vec!["CHROME_PATH: `/c` is no program".to_owned()],
        };
        assert_eq!(nothing, expected);
    }
}
