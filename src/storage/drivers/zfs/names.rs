//! What a dataset may be called, so that names of ours fit in it. Makes no names.

/// Longest name of a dataset, an `@` and a snapshot (`ZFS_MAX_DATASET_NAME_LEN`, with a closing zero).
pub(super) const NAME_BYTES_MAX: usize = 255;

/// Whether a text can name a dataset that volumes with names of ours fit in.
pub(super) fn is_dataset(text: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b))
    };
    text.len() < NAME_BYTES_MAX / 2 && text.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_datasets() {
        for good in ["tank", "tank/zea", "tank/a/b-c.d:e_f", "rpool/_x"] {
            assert!(is_dataset(good), "{good}");
        }
        for bad in ["", "/", "tank/", "/tank", "-r", "tank/-r", "tank@s", "tank/a b", "a//b", &"x".repeat(200)] {
            assert!(!is_dataset(bad), "{bad}");
        }
    }
}
