//! Reads a multipart form, as files are uploaded with.
//!
//! Knows parts and their names. Never fails: what is no part is not there.

use bytes::Bytes;

/// An uploaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) body: Bytes,
}

/// The fields of a form, and the first file in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) file: Option<Upload>,
}

impl Form {
    /// `content_type` is the header's value; `None` when it is not of a multipart form.
    pub(crate) fn read(content_type: &str, body: &Bytes) -> Option<Self> {
        let parameters = content_type.strip_prefix("multipart/form-data")?;
        let boundary = parameters
            .split(';')
            .find_map(|part| part.trim().strip_prefix("boundary="))?
            .trim_matches('"');
        let mark = format!("--{boundary}");
        let mut form = Self::default();
        let marks = places(body, mark.as_bytes());
        for (start, end) in marks.iter().zip(marks.iter().skip(1)) {
            // Between the line of one mark and the line break before the next.
            let part = body.slice(start + mark.len()..*end);
            form.take(&part);
        }
        Some(form)
    }

    fn take(&mut self, part: &Bytes) {
        const BREAK: &[u8] = b"\r\n\r\n";
        let Some(&headers) = places(part, BREAK).first() else {
            return;
        };
        let head = String::from_utf8_lossy(&part[..headers]).into_owned();
        let mut content = part.slice(headers + BREAK.len()..);
        if content.ends_with(b"\r\n") {
            content.truncate(content.len() - 2);
        }
        let Some(line) = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))
        else {
            return;
        };
        let parameter = |name: &str| {
            line.split(';')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
        };
        match (parameter("filename"), parameter("name")) {
            (Some(name), _) if self.file.is_none() => {
                self.file = Some(Upload { name, body: content });
            }
            (None, Some(name)) => {
                let value = String::from_utf8_lossy(&content).into_owned();
                self.fields.push((name, value));
            }
            _ => {}
        }
    }
}

/// Where `mark` stands; places do not overlap.
fn places(body: &[u8], mark: &[u8]) -> Vec<usize> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = body[from..].windows(mark.len()).position(|window| window == mark) {
        found.push(from + at);
        from += at + mark.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_has_fields_and_a_file() {
        let body = "--X\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nABC\r\n--X\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"PanOS_vm-10.2.4\"\r\n\
                    Content-Type: application/octet-stream\r\n\r\n\0\r\n\x01--Y\r\n--X--\r\n";
        let form = Form::read("multipart/form-data; boundary=X", &Bytes::from(body)).unwrap();
        assert_eq!(form.fields, [("key".to_owned(), "ABC".to_owned())]);
        let file = form.file.unwrap();
        assert_eq!(
            (file.name.as_str(), &file.body[..]),
            ("PanOS_vm-10.2.4", &b"\0\r\n\x01--Y"[..])
        );
        assert_eq!(Form::read("text/plain", &Bytes::new()), None);
        assert_eq!(Form::read("multipart/form-data", &Bytes::new()), None);
    }

    proptest! {
        #[test]
        fn no_body_breaks_the_reader(
            body in prop::collection::vec(any::<u8>(), 0..200),
            boundary in "[ -~]{0,5}",
            formlike in "(--X|\r\n|Content-Disposition: form-data|; name=|; filename=|\"|a){0,20}",
        ) {
            let _ = Form::read(&format!("multipart/form-data; boundary={boundary}"), &Bytes::from(body));
            let _ = Form::read("multipart/form-data; boundary=X", &Bytes::from(formlike));
        }
    }
}
