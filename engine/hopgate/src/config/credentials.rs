//! Credentials by reference: a file names where a secret is, never the secret.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use hopgate_panos::{Credentials, Secret};
use serde::{Deserialize, Serialize};

/// How long a command may take to give a secret. A password manager that asks somebody for its own password is quicker;
/// one that waits for an answer nobody gives would otherwise hold the start for ever.
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

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

impl CredentialsRef {
    /// Whether somebody has to type one of its secrets.
    pub fn asks_a_person(&self) -> bool {
        let mut places = [&self.password_from, &self.key_from].into_iter().flatten();
        places.any(|place| matches!(place, SecretSource::Prompt(_)))
    }
}

/// A place that holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a program prints: its name, then its arguments. No shell is in between.
    Command(Vec<String>),
    /// Whoever sits at the terminal, asked with this text and without echo.
    Prompt(String),
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
    /// The program did not give one.
    #[error("{program}, which should print a secret, {how}")]
    Command {
        /// The program, without its arguments: one of them may be a secret's name.
        program: String,
        /// What it did instead.
        how: String,
    },
    /// Nobody can be asked.
    #[error("the secret \"{prompt}\" is to be typed in, and there is no terminal")]
    NoTerminal {
        /// What would have been asked.
        prompt: String,
    },
    /// The terminal failed.
    #[error("failed to read the secret \"{prompt}\" from the terminal")]
    Terminal {
        /// What was asked.
        prompt: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Neither a user with a password nor a key.
    #[error("credentials need `user` and `password_from`, or `key_from`")]
    Incomplete,
}

impl SecretSource {
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
            SecretSource::Command(words) => (printed_by(words)?, place_of(words)),
            SecretSource::Prompt(prompt) => (typed_in(prompt)?, format!("the prompt \"{prompt}\"")),
        };
        if text.is_empty() {
            return Err(CredentialsError::Empty { place });
        }
        Ok(text)
    }
}

fn place_of(words: &[String]) -> String {
    words
        .first()
        .map_or_else(|| "no program".to_owned(), Clone::clone)
}

/// The first line of what a program prints. Its standard error goes to the terminal, where it may ask for something.
fn printed_by(words: &[String]) -> Result<String, CredentialsError> {
    let failed = |how: String| CredentialsError::Command {
        program: place_of(words),
        how,
    };
    let Some((program, arguments)) = words.split_first() else {
        return Err(failed("is not named".to_owned()));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let output = child.stdout.take();
    let (send, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = output.map(|mut output| output.read_to_string(&mut text));
        // Nobody listens any more after the limit.
        let _ = send.send(read.unwrap_or(Ok(0)).map(|_| text));
    });
    let Ok(printed) = printed.recv_timeout(COMMAND_LIMIT) else {
        // It is gone already, or cannot be ended; either way its output is not wanted any more.
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(format!(
            "printed nothing for {} seconds",
            COMMAND_LIMIT.as_secs()
        )));
    };
    let status = child
        .wait()
        .map_err(|error| failed(format!("cannot be waited for: {error}")))?;
    if !status.success() {
        return Err(failed(format!("ended with {status}")));
    }
    let text = printed.map_err(|error| failed(format!("printed what is no text: {error}")))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn typed_in(prompt: &str) -> Result<String, CredentialsError> {
    if !std::io::stdin().is_terminal() {
        return Err(CredentialsError::NoTerminal {
            prompt: prompt.to_owned(),
        });
    }
    rpassword::prompt_password(format!("{prompt}: ")).map_err(|source| CredentialsError::Terminal {
        prompt: prompt.to_owned(),
        source,
    })
}

/// Secrets that were fetched, so that a place many devices name is asked once.
#[derive(Default)]
pub struct Fetched {
    texts: BTreeMap<SecretSource, String>,
}

impl Fetched {
    fn fetch(&mut self, source: &SecretSource) -> Result<Secret, CredentialsError> {
        if let Some(text) = self.texts.get(source) {
            return Ok(Secret::new(text.clone()));
        }
        let text = source.text()?;
        self.texts.insert(source.clone(), text.clone());
        Ok(Secret::new(text))
    }
}

impl CredentialsRef {
    /// Fetches the secret from where it is, or from what was fetched before.
    pub fn resolve(&self, fetched: &mut Fetched) -> Result<Credentials, CredentialsError> {
        match (&self.key_from, &self.user, &self.password_from) {
            (Some(key), None, None) => Ok(Credentials::Key(fetched.fetch(key)?)),
            (None, Some(user), Some(password)) => Ok(Credentials::Login {
                user: user.clone(),
                password: fetched.fetch(password)?,
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
        insta::assert_snapshot!(missing.resolve(&mut Fetched::default()).unwrap_err(), @"the environment variable HOPGATE_NO_SUCH_VARIABLE, which should hold a secret, is not set");
        let neither = CredentialsRef {
            user: Some("admin".to_owned()),
            password_from: None,
            key_from: None,
        };
        let unasked = SecretSource::Prompt("password of admin".to_owned());
        if !std::io::stdin().is_terminal() {
            insta::assert_snapshot!(unasked.text().unwrap_err(), @r#"the secret "password of admin" is to be typed in, and there is no terminal"#);
        }
        insta::assert_snapshot!(neither.resolve(&mut Fetched::default()).unwrap_err(), @"credentials need `user` and `password_from`, or `key_from`");
    }

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_program_gives_the_first_line_it_prints_and_is_asked_once() {
        let directory = std::env::temp_dir().join(format!("hopgate-credentials-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let count = directory.join("count");
        let script = format!("echo x >> '{}'; echo s3cret; echo more", count.display());
        let source = command(&["sh", "-c", &script]);
        assert_eq!(source.text().unwrap(), "s3cret");
        let credentials = CredentialsRef {
            user: Some("admin".to_owned()),
            password_from: Some(source),
            key_from: None,
        };
        let mut fetched = Fetched::default();
        for _ in 0..3 {
            credentials.resolve(&mut fetched).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\nx\n");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_program_that_fails_is_named_without_its_arguments() {
        let said = |words: &[&str]| command(words).text().unwrap_err().to_string();
        insta::assert_snapshot!(said(&["sh", "-c", "echo s3cret; exit 3"]), @"sh, which should print a secret, ended with exit status: 3");
        insta::assert_snapshot!(said(&["true", "s3cret"]), @"the secret from true is empty");
        insta::assert_snapshot!(said(&["hopgate-no-such-program"]), @"hopgate-no-such-program, which should print a secret, cannot be started: No such file or directory (os error 2)");
        insta::assert_snapshot!(said(&[]), @"no program, which should print a secret, is not named");
    }
}
