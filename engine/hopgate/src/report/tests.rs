//! What people read, and that nothing a device says can act on the page or on the terminal.

use super::page::base64;
use super::wording::{Escaped, duration, visible};
use super::{html, status_text, table, timeline_text};
use crate::story::sample::{self, HOSTILE, id};

/// Tags of the page, with their attributes.
fn tags(page: &str) -> Vec<&str> {
    let body = &page[page.find("<body>").unwrap()..page.rfind("<script>").unwrap()];
    body.split('<')
        .skip(1)
        .map(|piece| piece.split_once('>').unwrap().0)
        .collect()
}

#[test]
fn the_status_of_a_halted_night() {
    insta::assert_snapshot!(status_text(&sample::halted_night("status-halted").story()));
}

#[test]
fn the_status_of_a_night_that_went_on() {
    insta::assert_snapshot!(status_text(&sample::night("status").story()));
}

#[test]
fn the_timeline_of_a_boot_loop() {
    let story = sample::night("loop").story();
    insta::assert_snapshot!(timeline_text(&story, &id("fw-ber-1")).unwrap());
}

#[test]
fn the_timeline_of_an_off_vendor_hop() {
    let story = sample::night("old").story();
    insta::assert_snapshot!(timeline_text(&story, &id("fw-old-1")).unwrap());
}

#[test]
fn a_device_that_the_campaign_does_not_have_has_no_timeline() {
    assert_eq!(
        timeline_text(&sample::halted_night("none").story(), &id("fw-nowhere")),
        None
    );
}

#[test]
fn no_line_on_the_terminal_is_wider_than_110_columns_or_acts() {
    let story = sample::night("columns").story();
    let mut texts = vec![status_text(&story), table(&story)];
    texts.extend(
        story
            .devices
            .iter()
            .filter_map(|device| timeline_text(&story, &device.device)),
    );
    for text in texts {
        for line in text.lines() {
            assert!(line.chars().count() <= 110, "{line}");
            assert!(
                !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{line:?}"
            );
        }
    }
}

#[test]
fn an_endless_word_of_a_device_is_cut_and_not_lost() {
    let mut story = sample::halted_night("endless").story();
    story.devices[3].state.text = "#".repeat(300);
    let text = status_text(&story);
    assert!(text.lines().all(|line| line.chars().count() <= 110));
    assert_eq!(text.matches('#').count(), 300);
}

#[test]
fn what_a_device_says_is_never_markup() {
    let story = sample::night("hostile").story();
    let page = html(&story);
    assert!(
        story.devices[5]
            .timeline
            .iter()
            .any(|line| line.text.contains(HOSTILE))
    );
    assert!(page.contains("&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img"));
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}'));
    let known = [
        "a", "article", "b", "body", "br", "button", "code", "dd", "defs", "details", "div", "dl", "dt",
        "footer", "g", "h1", "h2", "h3", "h4", "header", "i", "input", "li", "line", "main", "ol", "output",
        "p", "pattern", "rect", "section", "small", "span", "summary", "svg", "table", "tbody", "td", "text",
        "th", "thead", "time", "title", "tr", "ul", "use",
    ];
    for tag in tags(&page) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(known.contains(&name), "<{tag}>");
        let attributes: String = tag.split('"').step_by(2).collect();
        assert!(!attributes.contains(" on"), "<{tag}>");
    }
}

#[test]
fn the_page_is_well_formed() {
    let page = html(&sample::night("formed").story());
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(&page) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if matches!(name, "br" | "input") || tag.ends_with('/') {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> in {open:?}");
        } else {
            open.push(name);
        }
    }
    assert_eq!(open, ["body"]);
}

#[test]
fn the_page_asks_for_nothing() {
    let page = html(&sample::night("alone").story());
    for outside in [
        "http://", "https://", "//cdn", "@import", "src=", "url(h", "url(\"", "fetch(", "<link", "<iframe",
    ] {
        let found = page.matches(outside).count();
        // The hostile answer names a source; it is text.
        let said = page.matches("&lt;img src=x").count();
        assert_eq!(found, if outside == "src=" { said } else { 0 }, "{outside}");
    }
    assert!(page.contains("default-src 'none'"));
    let script = include_str!("page.js");
    assert!(page.contains(&format!("<script>{script}</script>")));
}

#[test]
fn an_off_vendor_path_is_marked_wherever_it_is_shown() {
    let story = sample::night("mark").story();
    let page = html(&story);
    let who = "OFF-VENDOR, pinned by nadia: the lab passed the direct jump twice";
    // The head, the row of the table and the device's own story; the bars carry it in their titles.
    assert_eq!(page.matches(&format!("\">{who}")).count(), 3);
    assert!(page.matches(who).count() > 3);
    assert_eq!(status_text(&story).matches(who).count(), 1);
    assert_eq!(table(&story).matches(who).count(), 1);
    assert!(
        timeline_text(&story, &id("fw-old-1"))
            .unwrap()
            .contains("OFF-VENDOR, pinned by nadia")
    );
    assert!(
        !timeline_text(&story, &id("fw-par-1"))
            .unwrap()
            .contains("OFF-VENDOR")
    );
    let mut vendor = story;
    vendor.campaign.off_vendor = false;
    vendor.campaign.pin = None;
    vendor.devices.retain(|device| !device.is_off_vendor());
    assert!(!html(&vendor).contains("OFF-VENDOR"));
}

#[test]
fn every_link_on_the_page_has_its_target_once() {
    let page = html(&sample::night("links").story());
    for link in page.split("href=\"#").skip(1) {
        let target = link.split_once('"').unwrap().0;
        assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}

#[test]
fn a_campaign_without_a_device_under_way_has_a_page() {
    let mut story = sample::halted_night("empty").story();
    story.devices.clear();
    story.campaign.timeline.clear();
    story.campaign.last_record = story.campaign.begun;
    assert!(html(&story).contains("</html>"));
    assert!(status_text(&story).contains("campaign spring"));
}

#[test]
fn text_is_made_safe_and_durations_are_said() {
    assert_eq!(
        Escaped("<a href=\"x\" b='c'>&\u{1b}").to_string(),
        "&lt;a href=&quot;x&quot; b=&#39;c&#39;&gt;&amp;\\u{1b}"
    );
    assert_eq!(
        visible("a\u{1b}[2J\r\nb\u{202e}c"),
        "a\\u{1b}[2J\\u{d}\\u{a}b\\u{202e}c"
    );
    assert_eq!(
        (duration(0), duration(59), duration(125)),
        ("0 min".into(), "59 min".into(), "2 h 05 min".into())
    );
}

#[test]
fn base64_is_that_of_rfc_4648() {
    let pairs = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, coded) in pairs {
        assert_eq!(base64(plain.as_bytes()), coded);
    }
    assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
}
