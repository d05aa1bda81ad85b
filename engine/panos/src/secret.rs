//! Passwords and keys in memory: a value that cannot be printed by accident.
//! Knows nothing of what the secret opens; must not be serialised anywhere.

use std::fmt;

/// A password or an API key. Its `Debug` and `Display` are `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for the request that carries it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Takes every occurrence of this secret out of a text that came from a device.
    pub(crate) fn redact(&self, text: &mut String) {
        if !self.0.is_empty() && text.contains(&self.0) {
            *text = text.replace(&self.0, REDACTED);
        }
    }
}

const REDACTED: &str = "[redacted]";

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

/// How the client proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// An administrator; the client asks the device for a key once and keeps it in memory.
    Login {
        /// The administrator's name.
        user: String,
        /// The administrator's password.
        password: Secret,
    },
    /// A key made elsewhere. No login is ever attempted, so no account can be locked.
    Key(Secret),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted() {
        let secret = Secret::new("hunter2");
        let credentials = Credentials::Login {
            user: "admin".into(),
            password: secret.clone(),
        };
        let shown = format!("{secret} {secret:?} {credentials:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains(REDACTED), "{shown}");
    }

    #[test]
    fn a_secret_is_taken_out_of_text_and_an_empty_one_leaves_it_alone() {
        let mut text = "bad password hunter2 for admin".to_owned();
        Secret::new("hunter2").redact(&mut text);
        assert_eq!(text, "bad password [redacted] for admin");
        Secret::new("").redact(&mut text);
        assert_eq!(text, "bad password [redacted] for admin");
    }
}
