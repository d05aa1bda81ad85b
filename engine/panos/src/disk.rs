//! Reads the `df -h` text of `show system disk-space`.
//! Knows df's columns and units; must not know which mount matters or how much is enough.

use hopgate_playbooks::Disk;

use crate::error::Failure;
use crate::xml::{Node, printable, whole_number};

/// The mounts in df's order.
///
/// Read from the right: device names differ by model, can be `none`, and are wrapped onto a line of their own when
/// long. A row that is a mount but cannot be read spoils the reading: a missing mount would look like one that is not
/// there.
pub(crate) fn disks(result: &Node) -> Result<Vec<Disk>, Failure> {
    Ok(rows(result)?.into_iter().map(|row| row.disk).collect())
}

/// A mount, and how full df says it is: what is used of what can be used, which is not all of its size.
pub(crate) struct Row {
    pub(crate) disk: Disk,
    pub(crate) used_percent: Option<u64>,
}

pub(crate) fn rows(result: &Node) -> Result<Vec<Row>, Failure> {
    let mut disks = Vec::new();
    for line in result.text().lines() {
        let mut columns = line.split_whitespace().rev();
        let (Some(mount), Some(used)) = (columns.next(), columns.next()) else {
            continue;
        };
        let available = columns.next();
        let _used = columns.next();
        // Fewer columns are a sentence about a file, or a name that is wrapped.
        let Some(size) = columns.next().filter(|_| mount.starts_with('/')) else {
            continue;
        };
        let is_share = used == "-" || used.ends_with('%');
        let (Some(size_mb), Some(available_mb), true) =
            (megabytes(size), available.and_then(megabytes), is_share)
        else {
            return Err(Failure::unreadable(format!(
                "the disk space row {:?}",
                printable(line, 80)
            )));
        };
        disks.push(Row {
            disk: Disk {
                mount: mount.to_owned(),
                size_mb,
                available_mb,
            },
            used_percent: used
                .strip_suffix('%')
                .and_then(whole_number)
                .filter(|used| *used <= 100),
        });
    }
    if disks.is_empty() {
        return Err(Failure::unreadable("no mounts in the disk space reply"));
    }
    Ok(disks)
}

/// `2.2G`, `512K`, `0`: whole megabytes, rounded down.
fn megabytes(text: &str) -> Option<u64> {
    const MB_IN_KIB: u64 = 1024;
    let unit_in_kib = match text.chars().next_back()? {
        'K' => 1,
        'M' => MB_IN_KIB,
        'G' => MB_IN_KIB.pow(2),
        'T' => MB_IN_KIB.pow(3),
        // `df -h` leaves the unit out only below one kilobyte; a longer number is not its output.
        _ => return (is_number(text) && text.len() <= 4).then_some(0),
    };
    let number = &text[..text.len() - 1];
    // df prints at most one decimal.
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    if !is_number(whole) || !is_number(tenths) || whole.len() > 7 || tenths.len() != 1 {
        return None;
    }
    let tenths = whole.parse::<u64>().ok()? * 10 + tenths.parse::<u64>().ok()?;
    Some(tenths.checked_mul(unit_in_kib)? / 10 / MB_IN_KIB)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
