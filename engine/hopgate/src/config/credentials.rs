//! Credentials by reference: a file names where a secret is, never the secret.

use std::path::PathBuf;

use hopgate_panos::{Credentials, Secret};
use serde::{Deserialize, Serialize};

/// Who logs in, and where the secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsRef {
    /// The administrator; left out where `key_from` names a ready-made API key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the administrator's password is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_from: Option<SecretSource>,
    /// Where an API key is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_from: Option<SecretSource>,
}

/// A place that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
}

/// A secret that could not be had. Never holds any part of it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The environment variable is not set.
    #[error("the environment variable {name}, which should hold a secret, is not set")]
    NotSet {
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("failed to read the secret file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing in it.
    #[error("the secret from {place} is empty")]
    Empty {
        /// Where it should be.
        place: String,
    },
    /// Neither a user with a password nor a key.
    #[error("credentials need `user` and `password_from`, or `key_from`")]
    Incomplete,
}

impl SecretSource {
    fn fetch(&self) -> Result<Secret, CredentialsError> {
        self.text().map(Secret::new)
    }

    /// The secret itself. The caller keeps it out of everything that is printed or stored.
    pub(crate) fn text(&self) -> Result<String, CredentialsError> {
        let (text, place) = match self {
            SecretSource::Env(name) => {
                let text =
                    std::env::var(name).map_err(|_| CredentialsError::NotSet { name: name.clone() })?;
                (text, format!("environment variable {name}"))
            }
            SecretSource::File(path) => {
                let text = std::fs::read_to_string(path).map_err(|source| CredentialsError::Unreadable {
                    path: path.clone(),
                    source,
                })?;
                (
                    text.lines().next().unwrap_or_default().to_owned(),
                    format!("file {}", path.display()),
                )
            }
        };
        if text.is_empty() {
            return Err(CredentialsError::Empty { place });
        }
        Ok(text)
    }
}

impl CredentialsRef {
    /// Fetches the secret from where it is.
    pub fn resolve(&self) -> Result<Credentials, CredentialsError> {
        match (&self.key_from, &self.user, &self.password_from) {
            (Some(key), None, None) => Ok(Credentials::Key(key.fetch()?)),
            (None, Some(user), Some(password)) => Ok(Credentials::Login {
                user: user.clone(),
                password: password.fetch()?,
            }),
            _ => Err(CredentialsError::Incomplete),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_not_there_is_named_by_its_place() {
        let missing = CredentialsRef {
            user: Some("admin".to_owned()),
            password_from: Some(SecretSource::Env("HOPGATE_NO_SUCH_VARIABLE".to_owned())),
            key_from: None,
        };
        insta::assert_snapshot!(missing.resolve().unwrap_err(), @"the environment variable HOPGATE_NO_SUCH_VARIABLE, which should hold a secret, is not set");
        let neither = CredentialsRef {
            user: Some("admin".to_owned()),
            password_from: None,
            key_from: None,
        };
        insta::assert_snapshot!(neither.resolve().unwrap_err(), @"credentials need `user` and `password_from`, or `key_from`");
    }
}
