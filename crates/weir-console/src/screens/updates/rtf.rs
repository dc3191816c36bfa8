//! Licences come as rich text (RTF 1.9.1): what people read of it.

/// Groups that hold no text of the document.
const SILENT: [&str; 8] = ["colortbl", "fonttbl", "footer", "generator", "header", "info", "listtable", "stylesheet"];
/// Groups within each other; those that are deeper are taken as text.
const DEEPEST: usize = 256;

/// What holds in a group.
#[derive(Clone, Copy)]
struct Group {
    silent: bool,
    /// Characters that stand after `\uN` for those who do not know it.
    fallback: usize,
}

/// The text of a licence; of what is no rich text, all of it.
pub(super) fn plain(text: &str) -> String {
    if !text.trim_start().starts_with("{\\rtf") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() / 2);
    let mut groups = vec![Group { silent: false, fallback: 1 }];
    let mut skip = 0;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let now = groups.last().copied().unwrap_or(Group { silent: false, fallback: 1 });
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            '{' => {
                if groups.len() < DEEPEST {
                    groups.push(now);
                }
                rest = after;
            }
            '}' => {
                if groups.len() > 1 {
                    groups.pop();
                }
                rest = after;
            }
            '\\' => rest = control(after, &mut groups, &mut skip, &mut out),
            '\r' | '\n' => rest = after,
            _ => {
                if skip > 0 {
                    skip -= 1;
                } else if !now.silent {
                    out.push(first);
                }
                rest = after;
            }
        }
    }
    out.trim().to_owned()
}

/// What stands after a backslash; the text that follows it.
fn control<'t>(text: &'t str, groups: &mut [Group], skip: &mut usize, out: &mut String) -> &'t str {
    let silent = groups.last().is_some_and(|group| group.silent);
    let mut say = |character: char, skip: &mut usize| {
        if *skip > 0 {
            *skip -= 1;
        } else if !silent {
            out.push(character);
        }
    };
    let Some(first) = text.chars().next() else { return "" };
    let after = text.get(first.len_utf8()..).unwrap_or_default();
    match first {
        '\\' | '{' | '}' => {
            say(first, skip);
            return after;
        }
        '~' => {
            say('\u{a0}', skip);
            return after;
        }
        '\'' => {
            let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            if let Some(code) = code {
                say(char::from(code), skip);
            }
            return after.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
        }
        '*' => {
            // a group that only some programs know
            if let Some(group) = groups.last_mut() {
                group.silent = true;
            }
            return after;
        }
        _ if !first.is_ascii_alphabetic() => return after,
        _ => {}
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let unsigned = rest.strip_prefix('-').unwrap_or(rest);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    // a dash without digits is text
    let (number, rest) = rest.split_at(if digits == 0 { 0 } else { rest.len() - unsigned.len() + digits });
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let number: Option<i32> = number.parse().ok();
    match (word, number) {
        ("par" | "line" | "row" | "sect", _) => say('\n', skip),
        ("tab" | "cell", _) => say('\t', skip),
        ("bullet", _) => say('•', skip),
        ("endash", _) => say('–', skip),
        ("emdash", _) => say('—', skip),
        ("lquote", _) => say('‘', skip),
        ("rquote", _) => say('’', skip),
        ("ldblquote", _) => say('“', skip),
        ("rdblquote", _) => say('”', skip),
        ("u", Some(code)) => {
            let code = u32::try_from(if code < 0 { code + 65_536 } else { code }).unwrap_or_default();
            if let Some(character) = char::from_u32(code) {
                say(character, skip);
            }
            *skip = groups.last().map_or(1, |group| group.fallback);
        }
        ("uc", Some(count)) => {
            if let Some(group) = groups.last_mut() {
                group.fallback = usize::try_from(count).unwrap_or_default().min(8);
            }
        }
        (word, _) if SILENT.contains(&word) => {
            if let Some(group) = groups.last_mut() {
                group.silent = true;
            }
        }
        _ => {}
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn rich_text_becomes_what_people_read() {
        let text = r"{\rtf1\ansi{\fonttbl{\f0 Tahoma;}}{\*\generator x;}\pard\b LICENCE\b0\par
Copyright \'a9 2026 \u8211?\u-3913? A\{b\}\tab end\line {\i caf\'e9}\b0-1}";
        assert_eq!(plain(text), "LICENCE\nCopyright © 2026 –\u{f0b7} A{b}\tend\ncafé-1");
    }

    #[test]
    fn what_is_broken_or_plain_stays_readable() {
        assert_eq!(plain("Plain {text} \\par"), "Plain {text} \\par");
        for broken in
            ["{\\rtf1", "{\\rtf1 \\", "{\\rtf1 \\'", "{\\rtf1 \\'z", "{\\rtf1 \\u-", "{\\rtf1 }}}} x", "{\\rtf1\\u"]
        {
            plain(broken);
        }
        assert_eq!(plain(&"{\\rtf1".repeat(1000)), "");
    }
}
