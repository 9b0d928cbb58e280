//! SQL.

use super::lexer::{Lexer, Words};

static WORDS: Words = Words::new(&[
    (
        "keyword",
        "add all allocate alter and any are as asensitive asymmetric at atomic authorization begin begin_frame begin_partition between both by call called cascaded case cast check close collate column commit condition connect constraint contains convert corresponding create cross cube current cursor cycle day deallocate declare default delete describe desc deterministic disconnect distinct drop dynamic each element else end escape every except exec execute exists external fetch filter first for foreign frame_row free from full function fusion get global grant group grouping groups having hold hour identity if in indicator initial inner inout insensitive insert intersect intersection interval into is join key language large last lateral leading left like local localtime match merge method minute modifies module month natural new next no none normalize not null nulls of offset old omit on one only open or order out outer over overlaps parameter partition per period portion precedes precision prepare primary procedure ptf range reads recursive ref references referencing release result return returns revoke right rollback rollup row rows savepoint scope scroll search second seek select sensitive set show similar skip some specific sql sqlexception static submultiset subset symmetric system table tablesample then timezone_hour timezone_minute to trailing transaction trigger truncate uescape union unique unnest update using value values versioning view when whenever where width_bucket window with within without year asc constraints names others",
    ),
    ("literal", "true false unknown"),
    (
        "type",
        "bigint binary blob boolean char character clob date dec decfloat decimal float int integer interval nchar nclob national numeric real row smallint time timestamp varchar varying varbinary",
    ),
]);

/// Names that are functions when a parenthesis follows.
const FUNCTIONS: &str = " abs acos array_agg asin atan avg cast ceil ceiling coalesce corr cos cosh count covar_pop covar_samp cume_dist dense_rank deref element exp extract first_value floor json_array json_arrayagg json_exists json_object json_objectagg json_query json_table json_table_primitive json_value lag last_value lead listagg ln log log10 lower max min mod nth_value ntile nullif percent_rank percentile_cont percentile_disc position position_regex power rank regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy row_number sin sinh sqrt stddev_pop stddev_samp substring substring_regex sum tan tanh translate translate_regex treat trim trim_array unnest upper value_of var_pop var_samp width_bucket ";

/// Classifies statements.
pub(super) fn lex(lx: &mut Lexer) {
    while !lx.done() {
        match lx.peek() {
            b'-' if lx.at(1) == b'-' => lx.line("comment"),
            b'/' if lx.at(1) == b'*' => lx.through("comment", 2, "*/"),
            b'\'' => quoted(lx, "string", b'\''),
            b'"' => quoted(lx, "", b'"'),
            b'@' => {
                let len = lx.rest()[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
                lx.take("variable", 1 + len);
            }
            b'-' | b'+' | b'/' | b'*' | b'=' | b'<' | b'>' | b'!' | b'%' | b'~' | b'|' | b'&' | b'^' => {
                lx.take("operator", 1);
            }
            b'.' | b'0'..=b'9' => number(lx),
            _ => match lx.word() {
                "" => lx.skip(),
                word => name(lx, word),
            },
        }
    }
}

/// A quoted string; a doubled quote stands for itself.
fn quoted(lx: &mut Lexer, class: &'static str, quote: u8) {
    let bytes = lx.rest().as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                break;
            }
            at += 1;
        }
        at += 1;
    }
    lx.take(class, at + 1);
}

fn number(lx: &mut Lexer) {
    match lx.number_len() {
        0 => lx.skip(),
        1 if lx.peek() == b'.' => lx.skip(),
        len => lx.take("number", len),
    }
}

fn name(lx: &mut Lexer, word: &str) {
    let lower = word.to_ascii_lowercase();
    let called = lx.next_visible(word.len()) == b'(';
    if called && FUNCTIONS.contains(&format!(" {lower} ")) {
        return lx.take("built_in", word.len());
    }
    match WORDS.get(&lower) {
        Some(class) => lx.take(class, word.len()),
        None => lx.skip_by(word.len()),
    }
}
