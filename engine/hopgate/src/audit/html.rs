//! An audit as one HTML file that needs nothing else: totals and charts, a matrix of devices and checks, and what was
//! found behind every cell.
//!
//! The matrix is drawn by the page's script from compact data, only the rows that are on the screen: ten thousand devices
//! open as fast as ten. Whatever a device answered is data and never markup. All times are UTC.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{Audit, AuditError, Counts};
use crate::checks::choice::with_settings;
use crate::report::{Escaped, base64};

mod charts;
mod data;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The label that devices are grouped by: whose they are.
pub const GROUP: &str = "customer";

/// The whole report.
pub fn page(audit: &Audit) -> String {
    let counts = audit.counts();
    let title = format!(
        "Audit: {} exposed, {} unknown, {} clear",
        counts.exposed, counts.unknown, counts.clear
    );
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head><body>",
        policy()
    );
    head(&mut out, audit, &counts);
    out.push_str("<main>");
    out.push_str(&charts::charts(audit));
    out.push_str(MATRIX);
    let _ = writeln!(
        out,
        "</main><footer>hopgate {} &middot; all times UTC &middot; nothing on a device was changed to make this page</footer>\
         <script type=\"application/json\" id=\"data\">{}</script><script>{SCRIPT}</script></body></html>",
        env!("CARGO_PKG_VERSION"),
        data::json(audit)
    );
    out
}

/// Writes it.
pub fn write_html(audit: &Audit, path: &Path) -> Result<(), AuditError> {
    super::write(path, &page(audit))
}

/// Where the script draws. Without it the totals and charts are all there is.
const MATRIX: &str = r#"<section id="matrix"><h2>Devices and checks</h2>
<noscript><p>The matrix needs this page's own script; totals and charts above do not.</p></noscript>
<div class="filter" hidden>
<input id="q" type="search" placeholder="name, model, release, customer, what was found&hellip;" aria-label="Search">
<span class="choices" role="group" aria-label="Show"></span>
<select id="check" aria-label="Check"></select>
<output id="shown"></output></div>
<p class="legend" hidden></p>
<div id="grid" role="grid" aria-label="Devices and checks" tabindex="0" hidden><div id="columns" role="row"></div><div id="room"><div id="rows"></div></div></div>
</section><section id="print"></section><dialog id="detail" aria-labelledby="detail-name"></dialog>"#;

fn head(out: &mut String, audit: &Audit, counts: &Counts) {
    let asked = audit.asked.iter().map(|name| match audit.settings.get(name) {
        Some(chosen) => Escaped(with_settings(name, chosen)).to_string(),
        None => Escaped(name).to_string(),
    });
    let asked: Vec<String> = asked.collect();
    let _ = write!(
        out,
        "<header><h1>Audit of {} {}</h1><dl><div><dt>Asked</dt><dd>{}</dd></div>",
        counts.devices,
        if counts.devices == 1 { "device" } else { "devices" },
        asked.join(", ")
    );
    if let Some(target) = &audit.target {
        let _ = write!(
            out,
            "<div><dt>On the way to</dt><dd>{}</dd></div>",
            Escaped(target)
        );
    }
    if let Some(left_out) = audit.left_out() {
        let _ = write!(out, "<div><dt>Not asked</dt><dd>{left_out}</dd></div>");
    }
    let second = |at: jiff::Timestamp| at.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let _ = write!(
        out,
        "<div><dt>From</dt><dd>{}</dd></div><div><dt>To</dt><dd>{} UTC</dd></div></dl></header>",
        second(audit.began),
        second(audit.ended)
    );
}

/// Only this page's own script and style count, known by their hashes, and nothing is ever loaded: text that a device
/// sent could not act even if it got past the escaping.
fn policy() -> String {
    let hash = |text: &str| base64(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}
