//! Reads what crashed processes left behind, from the text of `show system files`.
//! Knows that text, which is a listing of directories; must not know which crashes matter.

use hopgate_playbooks::CoreFile;

use crate::error::Failure;
use crate::xml::{Node, printable};

/// `/var/cores/:`, `total 115M`, `-rw-rw-rw- 1 root root 867M Jun  2 10:11 devsrvr_10.1.14_0.gz`.
///
/// A line that is none of these makes the whole unreadable: "no process crashed" must not be concluded from it.
pub(crate) fn core_files(result: &Node) -> Result<Vec<CoreFile>, Failure> {
    let mut directory = None;
    let mut files = Vec::new();
    for line in result
        .text()
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let wrong = || Failure::unreadable(format!("the line {:?} of the files", printable(line, 80)));
        if let Some(path) = line.strip_suffix(':').filter(|path| path.starts_with('/')) {
            directory = Some(printable(path, 200));
            continue;
        }
        let directory = directory.as_ref().ok_or_else(wrong)?;
        match line.chars().next() {
            Some('-') => files.push(file(directory, line).ok_or_else(wrong)?),
            // Directories, links, and the sum of a directory.
            Some('d' | 'l') => {}
            _ if line.starts_with("total ") => {}
            _ => return Err(wrong()),
        }
    }
    match directory {
        Some(_) => Ok(files),
        None => Err(Failure::unreadable("<result> lists no directory")),
    }
}

/// Rights, links, owner, group, size, month, day, time and name.
fn file(directory: &str, line: &str) -> Option<CoreFile> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (about, name) = words.split_at_checked(8)?;
    let [_, _, _, _, size, month, day, time] = about else {
        return None;
    };
    if name.is_empty() {
        return None;
    }
    Some(CoreFile {
        directory: directory.to_owned(),
        name: printable(&name.join(" "), 200),
        size: printable(size, 20),
        written: printable(&format!("{month} {day} {time}"), 40),
    })
}
