//! An inventory as a table: one device a line, the first line names the columns, every column that is no field of a
//! device is a label.
//!
//! Only reads the table into the same entries as YAML gives; what makes a good inventory is checked where both meet.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Defaults, Entry, Inventory, TrustRef};
use crate::config::ConfigError;
use crate::config::credentials::{CredentialsRef, SecretSource};
use crate::config::selector::Groups;

/// Columns that are fields of a device; any other is a label.
const FIELDS: [&str; 14] = [
    "name",
    "address",
    "serial",
    "peer",
    "user",
    "password_env",
    "password_file",
    "password_command",
    "password_prompt",
    "key_env",
    "key_file",
    "key_command",
    "key_prompt",
    "fingerprint",
];

/// Columns that would hold what must not stand in an inventory.
const SECRETS: [&str; 4] = ["password", "key", "api_key", "secret"];

/// Reads the table; `path` is only named in errors.
pub(super) fn parse(path: &Path, text: &str) -> Result<Inventory, ConfigError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(false)
        .from_reader(text.as_bytes());
    let columns: Vec<String> = match reader.headers() {
        Ok(header) => header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect(),
        Err(error) => return Err(unreadable(path, &error)),
    };
    check_columns(path, &columns)?;
    let mut devices = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(path, &error))?;
        let line = row.position().map_or(1, csv::Position::line);
        devices.push(entry(path, line, &columns, &row)?);
    }
    Ok(Inventory {
        simulated_clock: None,
        defaults: Defaults::default(),
        groups: Groups::default(),
        devices,
    })
}

fn check_columns(path: &Path, columns: &[String]) -> Result<(), ConfigError> {
    for (index, column) in columns.iter().enumerate() {
        let wrong = |text: String| Err(shape(path, 1, index, text));
        if column.is_empty() {
            return wrong(format!("column {} has no name", index + 1));
        }
        if SECRETS.contains(&column.to_lowercase().as_str()) {
            return wrong(format!(
                "the column {column} would hold secrets; name where they are, with password or key and _env, _file, _command or \
                 _prompt (password_env)"
            ));
        }
        if columns.iter().take(index).any(|earlier| earlier == column) {
            return wrong(format!("the column {column} is there twice"));
        }
    }
    for needed in ["name", "address"] {
        if !columns.iter().any(|column| column == needed) {
            return Err(shape(path, 1, 0, format!("there is no column {needed}")));
        }
    }
    Ok(())
}

fn entry(path: &Path, line: u64, columns: &[String], row: &csv::StringRecord) -> Result<Entry, ConfigError> {
    let cell = |name: &str| {
        let index = columns.iter().position(|column| column == name)?;
        row.get(index)
            .filter(|text| !text.is_empty())
            .map(|text| (index, text))
    };
    let named = |name: &str| match cell(name) {
        None => Ok(None),
        Some((index, text)) => text
            .parse()
            .map(Some)
            .map_err(|error: hopgate_core::names::NameError| shape(path, line, index, error.to_string())),
    };
    let text = |name: &str| cell(name).map(|(_, text)| text.to_owned());
    let labels: BTreeMap<String, String> = columns
        .iter()
        .filter(|column| !FIELDS.contains(&column.as_str()))
        .filter_map(|column| Some((column.clone(), text(column)?)))
        .collect();
    let name = named("name")?.ok_or_else(|| shape(path, line, 0, "the name is empty".to_owned()))?;
    Ok(Entry {
        name,
        address: text("address").unwrap_or_default(),
        serial: text("serial"),
        peer: named("peer")?,
        labels,
        credentials: credentials(&text),
        trust: text("fingerprint").map(TrustRef::Fingerprint),
    })
}

/// A place a secret is in, from the columns; whether the places make sense together is told when they are used.
fn credentials(text: &impl Fn(&str) -> Option<String>) -> Option<CredentialsRef> {
    let place = |secret: &str| {
        let column = |place: &str| text(&format!("{secret}_{place}"));
        // A cell has no list: the words of a program and its arguments are what is between blanks.
        let words = |typed: String| typed.split_whitespace().map(str::to_owned).collect();
        column("env")
            .map(SecretSource::Env)
            .or_else(|| column("file").map(|file| SecretSource::File(file.into())))
            .or_else(|| column("command").map(|typed| SecretSource::Command(words(typed))))
            .or_else(|| column("prompt").map(SecretSource::Prompt))
    };
    let found = CredentialsRef {
        user: text("user"),
        password_from: place("password"),
        key_from: place("key"),
    };
    let nothing = found.user.is_none() && found.password_from.is_none() && found.key_from.is_none();
    (!nothing).then_some(found)
}

fn unreadable(path: &Path, error: &csv::Error) -> ConfigError {
    let line = error.position().map_or(1, csv::Position::line);
    let text = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("{len} cells under {expected_len} columns")
        }
        csv::ErrorKind::Utf8 { .. } => "the text is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    shape(path, line, 0, text)
}

/// `column` is the place of the cell in its row, from 0: what a spreadsheet counts, and not characters.
fn shape(path: &Path, line: u64, column: usize, text: String) -> ConfigError {
    ConfigError::Shape {
        path: path.to_owned(),
        line,
        column: u64::try_from(column + 1).unwrap_or(u64::MAX),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
name,address,peer,customer,site,user,password_env
vie-a,10.0.0.1,vie-b,acme,\"Vienna, 3\",admin,PW
vie-b,10.0.0.2,vie-a,acme,,admin,PW
";

    fn read(text: &str) -> Result<Inventory, String> {
        let path = Path::new("inventory.csv");
        let inventory = parse(path, text).map_err(|error| error.to_string())?;
        inventory
            .check(path)
            .map(|()| inventory)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_table_gives_the_same_entries_as_yaml() {
        let yaml = "\
devices:
  - {name: vie-a, address: 10.0.0.1, peer: vie-b, labels: {customer: acme, site: 'Vienna, 3'}, credentials: {user: admin, password_from: {env: PW}}}
  - {name: vie-b, address: 10.0.0.2, peer: vie-a, labels: {customer: acme}, credentials: {user: admin, password_from: {env: PW}}}
";
        let written: Inventory = crate::config::parse(Path::new("inventory.yaml"), yaml).unwrap();
        assert_eq!(read(GOOD).unwrap(), written);
        let from_a_spreadsheet = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
        assert_eq!(read(&from_a_spreadsheet).unwrap(), written);
    }

    #[test]
    fn a_secret_is_in_one_of_four_places() {
        let of = |column: &str, cell: &str| {
            let table = format!("name,address,user,{column}\nfw1,10.0.0.1,admin,{cell}\n");
            let found = read(&table).unwrap().devices.remove(0).credentials.unwrap();
            found.password_from.or(found.key_from).unwrap()
        };
        let words = ["pass", "show", "fw1"].map(str::to_owned).to_vec();
        let found = [
            of("password_env", "PW"),
            of("key_file", "keys/fw1"),
            of("password_command", "pass show  fw1"),
            of("key_prompt", "Key of fw1"),
        ];
        let expected = [
            SecretSource::Env("PW".to_owned()),
            SecretSource::File("keys/fw1".into()),
            SecretSource::Command(words),
            SecretSource::Prompt("Key of fw1".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn mistakes_are_named_with_line_and_cell() {
        let wrong = |from: &str, to: &str| read(&GOOD.replacen(from, to, 1)).unwrap_err();
        insta::assert_snapshot!(wrong("address", "adress"), @"inventory.csv:1:1: there is no column address");
        insta::assert_snapshot!(wrong("user,password_env", "user,password"), @"inventory.csv:1:7: the column password would hold secrets; name where they are, with password or key and _env, _file, _command or _prompt (password_env)");
        insta::assert_snapshot!(wrong("customer,site", "site,site"), @"inventory.csv:1:5: the column site is there twice");
        insta::assert_snapshot!(wrong(",PW\nvie-b", "\nvie-b"), @"inventory.csv:2:1: 6 cells under 7 columns");
        insta::assert_snapshot!(wrong("vie-b,10.0.0.2", ",10.0.0.2"), @"inventory.csv:3:1: the name is empty");
        insta::assert_snapshot!(wrong("10.0.0.1,vie-b", "10.0.0.1,vie/b"), @r#"inventory.csv:2:3: the device name "vie/b" may hold letters, digits, '.', '_' and '-', not '/'"#);
        insta::assert_snapshot!(wrong("admin,PW\nvie-b", ",\nvie-b"), @"inventory.csv: devices[0].credentials: vie-a has none, and neither have the defaults");
    }

    proptest::proptest! {
        #[test]
        fn no_table_makes_it_panic(text in "[a-z,\"\n\r;=ä]{0,80}") {
            let _ = read(&format!("name,address,user,key_env\n{text}"));
            let _ = read(&text);
        }
    }
}
