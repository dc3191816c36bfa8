//! Patterns of `LIKE`: `%` any text, `_` any character, `[abc]` one of these, `[a-c]` or `[a=c]` one of this range, and
//! `[^...]` none of them (Windows documentation, LIKE operator).

/// One place of a pattern.
enum Part {
    /// Any text.
    Any,
    /// One character of these ranges, or none of them.
    One { ranges: Vec<(char, char)>, negated: bool },
}

/// Whether a text is like a pattern, without regard to case. None if it would take more steps than are left.
pub(super) fn matches(pattern: &str, text: &str, steps: &mut usize) -> Option<bool> {
    let parts = parts(&pattern.to_lowercase());
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut part, mut at) = (0, 0);
    // Where to go on after the last `%` if what follows it fits nowhere yet.
    let mut back: Option<(usize, usize)> = None;
    loop {
        *steps = steps.checked_sub(1)?;
        match (parts.get(part), text.get(at)) {
            (None, None) => return Some(true),
            (Some(Part::Any), _) => {
                back = Some((part + 1, at));
                part += 1;
            }
            (Some(Part::One { ranges, negated }), Some(found))
                if ranges.iter().any(|(from, to)| (from..=to).contains(&found)) != *negated =>
            {
                part += 1;
                at += 1;
            }
            _ => match back {
                Some((following, from)) if from < text.len() => {
                    back = Some((following, from + 1));
                    part = following;
                    at = from + 1;
                }
                _ => return Some(false),
            },
        }
    }
}

fn parts(pattern: &str) -> Vec<Part> {
    let one = |from, to| Part::One { ranges: vec![(from, to)], negated: false };
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
        match first {
            '%' => parts.push(Part::Any),
            '_' => parts.push(one('\0', char::MAX)),
            '[' => match rest.split_once(']') {
                Some((set, behind)) if !set.is_empty() => {
                    parts.push(self::set(set));
                    rest = behind;
                }
                // Without an end it is a bracket.
                _ => parts.push(one('[', '[')),
            },
            other => parts.push(one(other, other)),
        }
    }
    parts
}

fn set(set: &str) -> Part {
    let (negated, set) = match set.strip_prefix('^') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (false, set),
    };
    let characters: Vec<char> = set.chars().collect();
    let mut ranges = Vec::new();
    let mut rest = characters.as_slice();
    loop {
        match rest {
            [from, '-' | '=', to, behind @ ..] => {
                ranges.push((*from, *to));
                rest = behind;
            }
            [only, behind @ ..] => {
                ranges.push((*only, *only));
                rest = behind;
            }
            [] => return Part::One { ranges, negated },
        }
    }
}
