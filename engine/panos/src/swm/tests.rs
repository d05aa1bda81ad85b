//! Partition tables.

use super::*;
use crate::scripted::{lines, result_of, result_text};

#[test]
fn tables_of_two_releases() {
    let found: Vec<Partition> = ["swm-9.1.xml", "swm-10.2.xml"]
        .into_iter()
        .flat_map(|name| partitions(&result_of(name)).unwrap())
        .collect();
    insta::assert_snapshot!(lines(&found), @r#"
    Partition { name: "sysroot0", state: "RUNNING-ACTIVE", version: Some(Version { train: Train { major: 9, minor: 0 }, maintenance: 5, suffix: None, extended: true }) }
    Partition { name: "sysroot1", state: "EMPTY", version: None }
    Partition { name: "maint", state: "READY", version: Some(Version { train: Train { major: 9, minor: 1 }, maintenance: 2, suffix: None, extended: false }) }
    Partition { name: "sysroot0", state: "REVERTABLE", version: Some(Version { train: Train { major: 10, minor: 1 }, maintenance: 14, suffix: Hotfix(9), extended: false }) }
    Partition { name: "sysroot1", state: "RUNNING-ACTIVE", version: Some(Version { train: Train { major: 10, minor: 2 }, maintenance: 0, suffix: None, extended: false }) }
    Partition { name: "maint", state: "EMPTY", version: None }
    "#);
}

#[test]
fn a_table_that_cannot_be_read_is_not_half_read() {
    let table = [
        "",
        "software manager is starting",
        "Partition State Version\n-----\n",
        "Partition State Version\nsysroot0 RUNNING-ACTIVE 10.1.14\nsysroot1 PENDING-CHANGE ten\n",
        "Partition State Version\nsysroot0\n",
        "Partition State Version\nsysroot0 RUNNING-ACTIVE 10.1.14 extra\n",
    ]
    .map(|text| partitions(&result_text(text)).unwrap_err().to_string());
    insta::assert_snapshot!(table.join("\n"), @r#"
    the reply cannot be understood: no table of partitions in the reply
    the reply cannot be understood: no table of partitions in the reply
    the reply cannot be understood: the table of partitions has no rows
    the reply cannot be understood: "ten" is not a PAN-OS version: the major number is not a number (expected MAJOR.MINOR.MAINTENANCE, then at most one of -hN, -bN or -cN, then at most .xfr)
    the reply cannot be understood: the partition row "sysroot0"
    the reply cannot be understood: the partition row "sysroot0 RUNNING-ACTIVE 10.1.14 extra"
    "#);
}
