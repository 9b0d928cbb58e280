//! Classes of the common languages, lines, limits.

use super::*;
use proptest::prelude::*;

/// A block with its classes written short: `‹keyword|let›`.
fn short(language: &str, code: &str) -> String {
    let mut html = String::new();
    assert!(highlight(&mut html, language, code), "{language} is not known");
    let html = html.replace("<span class=\"hljs-", "‹").replace("</span>", "›").replace("\">", "|");
    plain(&html)
}

/// HTML without its tags and entities.
fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        rest = rest[open..].split_once('>').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[test]
fn classifies_what_talks_show() {
    for (language, code, expected) in [
        ("yaml", "a: b # c\n", "‹attr|a:› ‹string|b› ‹comment|# c›\n"),
        (
            "YML",
            "---\n- port: 80\n  on: true\n  text: |\n    x: y\n\n    z\nend: \"{{ v }}\"",
            "‹meta|---›\n‹bullet|-› ‹attr|port:› ‹number|80›\n  ‹attr|on:› ‹literal|true›\n  ‹attr|text:› ‹string||\n    x: y\n\n    z›\n\
             ‹attr|end:› ‹string|\"›‹template-variable|{{ v }}›‹string|\"›",
        ),
        (
            "json",
            "{\"a\": [1, true, \"b\"]} // c",
            "‹punctuation|{›‹attr|\"a\"›‹punctuation|:› ‹punctuation|[›‹number|1›‹punctuation|,› ‹literal|‹keyword|true››‹punctuation|,› \
             ‹string|\"b\"›‹punctuation|]}› ‹comment|// c›",
        ),
        (
            "sh",
            "ls -la | grep \"$X\" # c",
            "‹built_in|ls› -la | grep ‹string|\"›‹variable|$X›‹string|\"› ‹comment|# c›",
        ),
        (
            "bash",
            "if [ -f /bin/ls ]; then exit 1; fi",
            "‹keyword|if› [ -f /bin/ls ]; ‹keyword|then› ‹built_in|exit› 1; ‹keyword|fi›",
        ),
        ("console", "$ cd x\nout cd", "‹meta prompt_|$ ›‹built_in|cd› x\nout cd"),
        ("js", "const a = \"x\"; // c", "‹keyword|const› a = ‹string|\"x\"›; ‹comment|// c›"),
        (
            "JavaScript",
            "const f = (x) => `a${x}`; new Map().get(/re/g)",
            "‹keyword|const› ‹title function_|f› = (‹params|x›) => ‹string|`a›‹subst|${x}›‹string|`›; ‹keyword|new› ‹title class_|Map›().\
             ‹title function_|get›(‹regexp|/re/g›)",
        ),
        (
            "js",
            "<!-- class: lead -->\n---\n![bg](a.png)\n",
            "<!-- ‹attr|class›: lead -->\n---\n![bg](a.‹property|png›)\n",
        ),
        ("ts", "let n: number = 1", "‹keyword|let› ‹attr|n›: ‹built_in|number› = ‹number|1›"),
        (
            "py",
            "@a.b\ndef f(self, x=1):\n    return f\"{x}!\"",
            "‹meta|@a.b›\n‹keyword|def› ‹title function_|f›(‹params|self, x=›‹number|1›):\n    ‹keyword|return› ‹string|f\"›‹subst|{x}›‹string|!\"›",
        ),
        ("rust", "fn main() {}", "‹keyword|fn› ‹title function_|main›() {}"),
        (
            "rs",
            "let mut s: &'a str = r#\"x\"#;",
            "‹keyword|let› ‹keyword|mut ›‹variable|s›: &‹symbol|'a› ‹type|str› = ‹string|r#\"x\"#›;",
        ),
        (
            "go",
            "func f(a int) error { return nil }",
            "‹keyword|func› ‹title|f›‹params|(a ›‹type|int›‹params|)› ‹type|error› { ‹keyword|return› ‹literal|nil› }",
        ),
        (
            "html",
            "<b class=\"x\">y</b>\n",
            "‹tag|<›‹name|b›‹tag| ›‹attr|class›‹tag|=›‹string|\"x\"›‹tag|>›y‹tag|</›‹name|b›‹tag|>›\n",
        ),
        (
            "css",
            "a.b:hover { color: #fff }",
            "‹selector-tag|a›‹selector-class|.b›‹selector-pseudo|:hover› { ‹attribute|color›: ‹number|#fff› }",
        ),
        ("diff", "+ a\n- b\n", "‹addition|+ a›\n‹deletion|- b›\n"),
        ("toml", "[a]\nb = 1 # c", "‹section|[a]›\n‹attr|b› = ‹number|1› ‹comment|# c›"),
        ("docker", "FROM a AS b\nRUN cd x", "‹keyword|FROM› a ‹keyword|AS› b\n‹keyword|RUN› ‹built_in|cd› x"),
        ("sql", "SELECT sum(a) FROM b", "‹keyword|SELECT› ‹built_in|sum›(a) ‹keyword|FROM› b"),
        ("md", "# A\n- *b* `c`\n", "‹section|# A›\n‹bullet|-› ‹emphasis|*b*› ‹code|`c`›\n"),
        ("md", "```js\nx\n```\n", "‹code|```js\nx\n```›\n"),
        ("text", "if <x>", "if <x>"),
        ("ruby", "puts 'a' # c\nb", "‹built_in|puts› ‹string|'a'› ‹comment|# c\n›b"),
        ("ps1", "Get-Item $x -Force # c", "‹built_in|Get-Item› ‹variable|$x› ‹literal|-Force› ‹comment|# c›"),
    ] {
        assert_eq!(short(language, code), expected, "{language}: {code}");
    }
}

#[test]
fn unknown_languages_are_escaped() {
    for language in ["mermaid", "", "js:file.js", "js,foo", "{.js}"] {
        let mut html = String::new();
        assert!(!highlight(&mut html, language, "a --> \"b\" & <c>"), "{language}");
        assert_eq!(html, "a --&gt; \"b\" &amp; &lt;c&gt;");
        assert_eq!(highlight_lines(language, "a"), None);
    }
}

#[test]
fn lines_are_balanced() {
    assert_eq!(
        highlight_lines("js", "/* a\nb */ 1\n\n").unwrap_or_default(),
        [
            "<span class=\"hljs-comment\">/* a</span>",
            "<span class=\"hljs-comment\">b */</span> <span class=\"hljs-number\">1</span>",
            ""
        ]
    );
    assert_eq!(highlight_lines("text", "a\nb").unwrap_or_default(), ["a", "b"]);
    assert_eq!(highlight_lines("text", "").unwrap_or_default(), [""; 0]);
}

#[test]
fn large_blocks_are_only_escaped() {
    let mut html = String::new();
    assert!(highlight(&mut html, "js", &"let x;\n".repeat(40_000)));
    assert!(highlight(&mut html, "ruby", &"x".repeat(3000)));
    assert!(!html.contains("<span"));
}

#[test]
fn every_grammar_exists_and_runs() {
    let code = "#!/bin/x\nclass A < B { def f(x) = \"a#{1}\" } # c\n<?php echo '$x'; ?> /* d */ -- e\n";
    for name in language::grammars() {
        assert!(scope::runs(name, code).is_some(), "{name}");
    }
}

proptest! {
    #[test]
    fn the_text_stays(
        language in prop::sample::select(&[
            "yaml", "json", "toml", "diff", "http", "bash", "console", "docker", "js", "ts", "py", "go", "rust", "java", "c", "cpp", "html",
            "css", "md", "sql", "mermaid",
        ][..]),
        code in r#"([a-zA-Z_]{1,6}|[0-9.]{1,4}|[ \t\n]|[!-/:-@\[-`{-~]|é|日|😀|<<EOF|```|"""|/\*|\*/|<!--|\$\{|\$\(|#\[|def |class |fn |let |struct |function |=>|: |<[a-z]|</|<\?|@media|---\n){0,40}"#,
    ) {
        let mut html = String::new();
        highlight(&mut html, language, &code);
        prop_assert_eq!(plain(&html), code.as_str());
        if let Some(lines) = highlight_lines(language, &code) {
            let joined = lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("\n");
            prop_assert_eq!(joined, code.strip_suffix('\n').unwrap_or(&code));
            prop_assert!(lines.iter().all(|line| line.matches("<span").count() == line.matches("</span>").count()));
        }
    }
}
