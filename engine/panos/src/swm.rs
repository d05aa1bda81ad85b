//! Reads the table of `debug swm status`: which partition runs, which boots next, what they hold.
//! Knows the table; must not know what an upgrade expects to find in it.

use hopgate_playbooks::Partition;

use crate::error::Failure;
use crate::system::version;
use crate::xml::{Node, printable};

/// The partitions, in the table's order: `sysroot1  PENDING-CHANGE  10.2.0`. The version may be the word `None`.
pub(crate) fn partitions(result: &Node) -> Result<Vec<Partition>, Failure> {
    let mut rows = result.text().lines().skip_while(|line| !is_header(line));
    rows.next()
        .ok_or_else(|| Failure::unreadable("no table of partitions in the reply"))?;
    let partitions = rows
        .map(str::trim)
        .filter(|line| line.bytes().any(|byte| byte != b'-'))
        .map(partition)
        .collect::<Result<Vec<_>, _>>()?;
    if partitions.is_empty() {
        return Err(Failure::unreadable("the table of partitions has no rows"));
    }
    Ok(partitions)
}

fn is_header(line: &str) -> bool {
    line.split_whitespace().eq(["Partition", "State", "Version"])
}

fn partition(line: &str) -> Result<Partition, Failure> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (name, state, held) = match columns[..] {
        [name, state] => (name, state, "None"),
        [name, state, held] => (name, state, held),
        _ => {
            return Err(Failure::unreadable(format!(
                "the partition row {:?}",
                printable(line, 80)
            )));
        }
    };
    Ok(Partition {
        name: name.to_owned(),
        state: state.to_owned(),
        version: match held {
            "None" | "(null)" | "-" => None,
            held => Some(version(held)?),
        },
    })
}

#[cfg(test)]
mod tests;
