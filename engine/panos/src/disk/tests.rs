//! Disk space of a small firewall and of a chassis.

use super::*;
use crate::scripted::{lines, result_of, result_text};

#[test]
fn disks_of_a_small_firewall() {
    insta::assert_snapshot!(lines(&disks(&result_of("disk-9.1.xml")).unwrap()), @r#"
    Disk { mount: "/", size_mb: 3891, available_mb: 2252 }
    Disk { mount: "/dev", size_mb: 990, available_mb: 990 }
    Disk { mount: "/opt/pancfg", size_mb: 7782, available_mb: 4915 }
    Disk { mount: "/opt/panrepo", size_mb: 3891, available_mb: 100 }
    Disk { mount: "/dev/shm", size_mb: 990, available_mb: 870 }
    Disk { mount: "/opt/panlogs", size_mb: 128000, available_mb: 91136 }
    "#);
}

#[test]
fn disks_of_a_chassis_with_a_wrapped_row_and_bare_numbers() {
    insta::assert_snapshot!(lines(&disks(&result_of("disk-chassis-10.2.xml")).unwrap()), @r#"
    Disk { mount: "/", size_mb: 9728, available_mb: 4198 }
    Disk { mount: "/dev", size_mb: 16384, available_mb: 16384 }
    Disk { mount: "/opt/panrepo", size_mb: 23552, available_mb: 20480 }
    Disk { mount: "/opt/pancfg", size_mb: 38912, available_mb: 30720 }
    Disk { mount: "/cgroup", size_mb: 16384, available_mb: 16384 }
    Disk { mount: "/opt/plugins", size_mb: 0, available_mb: 0 }
    Disk { mount: "/opt/panraid/ld1", size_mb: 1887436, available_mb: 1782579 }
    Disk { mount: "/opt/small", size_mb: 0, available_mb: 0 }
    "#);
}

#[test]
fn sizes_in_every_unit() {
    for (text, expected) in [
        ("0", Some(0)),
        ("512", Some(0)),
        ("512K", Some(0)),
        ("2048K", Some(2)),
        ("100M", Some(100)),
        ("1.5G", Some(1536)),
        ("2.2G", Some(2252)),
        ("1.8T", Some(1_887_436)),
        ("9999999T", Some(9_999_999 * 1024 * 1024)),
        ("99999999T", None),
        ("", None),
        ("G", None),
        (".5G", None),
        ("1.G", None),
        ("1.25G", None),
        ("-1G", None),
        ("1,5G", None),
        ("12345", None),
        ("5X", None),
        ("5\u{e9}", None),
    ] {
        assert_eq!(megabytes(text), expected, "{text}");
    }
}

#[test]
fn a_mount_that_cannot_be_read_is_not_left_out() {
    let text = "/dev/root 3.8G 1.5G 2.2G 41% /\n/dev/sda6 3.8G 3.5G lots 98% /opt/panrepo\n";
    insta::assert_snapshot!(disks(&result_text(text)).unwrap_err(), @r#"the reply cannot be understood: the disk space row "/dev/sda6 3.8G 3.5G lots 98% /opt/panrepo""#);
    let text = "/dev/root 3.8G 1.5G 2.2G 41% /\n/dev/sda6 3.8G 3.5G 100M full /opt/panrepo\n";
    insta::assert_snapshot!(disks(&result_text(text)).unwrap_err(), @r#"the reply cannot be understood: the disk space row "/dev/sda6 3.8G 3.5G 100M full /opt/panrepo""#);
    insta::assert_snapshot!(disks(&result_text("")).unwrap_err(), @"the reply cannot be understood: no mounts in the disk space reply");
}
