//! Option strings of properties such as `StorDriver/LvcreateOptions`, split into arguments. Never runs anything.

/// Splits at white space; single and double quotes keep text together and a backslash takes the next character as it is
/// (not inside single quotes). An open quote ends with the text.
#[must_use]
pub fn split_options(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (None, ' ' | '\t' | '\n') => arguments.extend(current.take()),
            (None, '\'' | '"') => {
                quote = Some(char);
                current.get_or_insert_default();
            }
            (Some(open), _) if open == char => quote = None,
            (None | Some('"'), '\\') => current.get_or_insert_default().extend(chars.next()),
            _ => current.get_or_insert_default().push(char),
        }
    }
    arguments.extend(current);
    arguments
}

/// The last value of an option in an argument list, in every spelling: `--name value`, `--name=value`, `-x value`, `-xvalue`.
pub(super) fn value_of<'a>(arguments: &'a [String], long: &str, short: Option<&str>) -> Option<&'a str> {
    arguments.iter().enumerate().rev().find_map(|(place, argument)| {
        if argument == long || Some(argument.as_str()) == short {
            return arguments.get(place + 1).map(String::as_str);
        }
        if let Some(rest) = argument.strip_prefix(long) {
            return rest.strip_prefix('=');
        }
        argument.strip_prefix(short?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_like_a_shell() {
        for (text, arguments) in [
            ("", vec![]),
            ("  ", vec![]),
            ("-i 2  -I64", vec!["-i", "2", "-I64"]),
            ("--a 'b c' \"d e\"f", vec!["--a", "b c", "d ef"]),
            (r#"a\ b "c\"d" 'e\f'"#, vec!["a b", "c\"d", "e\\f"]),
            ("'' x", vec!["", "x"]),
            ("'open", vec!["open"]),
            ("end\\", vec!["end"]),
        ] {
            assert_eq!(split_options(text), arguments, "{text}");
        }
    }

    #[test]
    fn finds_values_in_every_spelling() {
        for (text, value) in [
            ("-i 2", Some("2")),
            ("-i3", Some("3")),
            ("--stripes 4", Some("4")),
            ("--stripes=5", Some("5")),
            ("-i 2 --stripes=6", Some("6")),
            ("--stripesize 64", None),
            ("--stripes", None),
            ("-I64 --type raid0", None),
        ] {
            assert_eq!(value_of(&split_options(text), "--stripes", Some("-i")), value, "{text}");
        }
    }
}
