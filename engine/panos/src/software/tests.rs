//! Software lists in the dialects of several releases.

use super::*;
use crate::scripted::{lines, result_of};
use crate::xml::read_reply;

fn list(name: &str) -> String {
    lines(&images(&result_of(name)).unwrap())
}

#[test]
fn a_list_of_9_1_with_a_duplicate_nulls_and_unknown_versions() {
    insta::assert_snapshot!(list("software-info-9.1.xml"), @r"
    Image { version: Version { train: Train { major: 9, minor: 1 }, maintenance: 16, suffix: None, extended: false }, size_mb: Some(380), downloaded: true, current: true, release_type: None }
    Image { version: Version { train: Train { major: 10, minor: 0 }, maintenance: 0, suffix: None, extended: false }, size_mb: Some(770), downloaded: true, current: false, release_type: None }
    ");
}

#[test]
fn an_old_list_without_entries() {
    insta::assert_snapshot!(list("software-info-9.1-flat.xml"), @r"
    Image { version: Version { train: Train { major: 9, minor: 1 }, maintenance: 0, suffix: None, extended: false }, size_mb: Some(640), downloaded: true, current: false, release_type: None }
    Image { version: Version { train: Train { major: 9, minor: 1 }, maintenance: 3, suffix: None, extended: false }, size_mb: Some(302), downloaded: true, current: true, release_type: None }
    ");
}

#[test]
fn an_image_that_is_being_written_is_not_downloaded_whatever_another_row_says() {
    insta::assert_snapshot!(list("software-info-10.2.xml"), @r"
    Image { version: Version { train: Train { major: 10, minor: 2 }, maintenance: 0, suffix: None, extended: false }, size_mb: Some(1021), downloaded: true, current: true, release_type: None }
    Image { version: Version { train: Train { major: 10, minor: 2 }, maintenance: 4, suffix: Hotfix(4), extended: false }, size_mb: Some(550), downloaded: false, current: false, release_type: None }
    ");
}

#[test]
fn a_list_of_12_1_with_release_types() {
    insta::assert_snapshot!(list("software-info-12.1.xml"), @r#"
    Image { version: Version { train: Train { major: 11, minor: 2 }, maintenance: 3, suffix: None, extended: true }, size_mb: None, downloaded: false, current: false, release_type: None }
    Image { version: Version { train: Train { major: 11, minor: 2 }, maintenance: 7, suffix: Hotfix(1), extended: false }, size_mb: Some(900), downloaded: true, current: true, release_type: Some("Preferred") }
    Image { version: Version { train: Train { major: 12, minor: 1 }, maintenance: 2, suffix: None, extended: false }, size_mb: Some(1500), downloaded: false, current: false, release_type: Some("Base") }
    "#);
}

#[test]
fn a_running_image_that_cannot_be_read_spoils_the_list() {
    let list = |version: &str, current: &str| {
        let body = format!(
            "<response status='success'><result><sw-updates><versions><entry><version>{version}</version>\
             <current>{current}</current></entry></versions></sw-updates></result></response>"
        );
        images(&read_reply(200, None, body.as_bytes()).unwrap())
    };
    assert_eq!(list("eleven", "no"), Ok(vec![]));
    assert!(matches!(list("eleven", "yes"), Err(Failure::Unreadable { .. })));
}

#[test]
fn a_reply_without_a_list_is_not_an_empty_list() {
    assert!(images(&result_of("empty-result.xml")).is_err());
}
