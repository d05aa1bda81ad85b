//! A path as one page: the picture, then tables of hops, advisories, refusals and sources.
//!
//! Responsible for: the page, self-contained and well-formed as XML too. Must not know: how the picture is drawn. The page
//! loads nothing and runs nothing, and its policy says so to the browser.

use super::markup::escaped;
use super::{Drawing, Finding, Said, State, Step, Way, counted, svg};

const STYLE: &str = include_str!("page.css");

pub(crate) fn page(drawing: &Drawing) -> String {
    let title = escaped(&drawing.title());
    let sections = [
        picture(drawing),
        hops(drawing),
        off_vendor(drawing),
        advisories(drawing),
        asked(drawing),
        alternatives(drawing),
        refused(drawing),
        sources(drawing),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{}<main>\n{}</main>\n<footer>Dates as of {}. Minutes are estimates: installs, reboots and auto-commits, one after the \
         other; downloads happen before.</footer>\n</body>\n</html>\n",
        header(drawing),
        sections.concat(),
        escaped(&drawing.today),
    )
}

fn header(drawing: &Drawing) -> String {
    let mut out = format!(
        "<header>\n<h1>{}</h1>\n<p class=\"summary\">{}</p>\n",
        escaped(&drawing.title()),
        escaped(&drawing.summary())
    );
    let broken: usize = drawing.chosen.steps.iter().map(|step| step.broken.len()).sum();
    if broken > 0 {
        out.push_str(&format!(
            "<p class=\"banner\">Off-vendor: this path was pinned and breaks {} of the vendor.</p>\n",
            counted(broken, "rule")
        ));
    }
    if !drawing.notes.is_empty() {
        out.push_str(&format!(
            "<ul class=\"notes\">{}</ul>\n",
            items(drawing.notes.iter())
        ));
    }
    out.push_str("</header>\n");
    out
}

fn picture(drawing: &Drawing) -> String {
    format!(
        "<section class=\"picture\">\n{}</section>\n",
        svg::drawn(drawing, svg::Extent::BesideTables)
    )
}

fn hops(drawing: &Drawing) -> String {
    let rows = drawing
        .chosen
        .legs()
        .enumerate()
        .map(|(index, (from, to, step))| {
            let name = format!(
                "<b>{}. {} to {}</b><small>{}</small>{}",
                index + 1,
                escaped(drawing.name(from)),
                escaped(drawing.name(to)),
                escaped(&step.kind),
                if step.is_off_vendor() {
                    "<span class=\"off\">off-vendor</span>"
                } else {
                    ""
                }
            );
            let mut images = list("names", &step.images);
            if let Some(disk) = &step.disk {
                images.push_str(&format!("<small>{}</small>", escaped(disk)));
            }
            [
                name,
                images,
                text_or_none(step.content.as_deref().unwrap_or_default()),
                gates(step),
                format!(
                    "<b>{}</b><small>{} at worst</small>",
                    step.expected_min, step.worst_min
                ),
                way_back(step),
                text_or_none(&step.ha_rule),
            ]
        });
    let heads = [
        "Hop",
        "Images, in this order",
        "Content first",
        "Gates",
        "Minutes",
        "Way back",
        "HA pairs",
    ];
    table("Hops", "hops", heads, rows)
}

fn way_back(step: &Step) -> String {
    let mut out = format!(
        "{}<small>{}</small>",
        escaped(&step.way_back),
        escaped(&step.lost)
    );
    if let Some(configuration) = &step.configuration {
        out.push_str(&format!("<small>{}</small>", escaped(configuration)));
    }
    out
}

fn gates(step: &Step) -> String {
    let texts: Vec<_> = step.gates.iter().map(|gate| gate.text.clone()).collect();
    let mut out = list("phrases", &texts);
    if step.open_questions > 0 {
        out.push_str(&format!(
            "<small>and {}: see the advisories</small>",
            counted(step.open_questions, "open question")
        ));
    }
    out
}

/// Every gate once, with the hops that ask for it.
fn asked(drawing: &Drawing) -> String {
    let mut asked: Vec<(&Said, Vec<String>)> = Vec::new();
    for (index, step) in drawing.chosen.steps.iter().enumerate() {
        for gate in &step.gates {
            let number = (index + 1).to_string();
            match asked.iter_mut().find(|(known, _)| *known == gate) {
                Some((_, hops)) => hops.push(number),
                None => asked.push((gate, vec![number])),
            }
        }
    }
    let rows = asked
        .into_iter()
        .map(|(gate, hops)| [escaped(&gate.text), hops.join(", "), escaped(&gate.source)]);
    table("Gates", "gates", ["What must hold", "Hops", "Source"], rows)
}

fn off_vendor(drawing: &Drawing) -> String {
    let rows = drawing
        .chosen
        .legs()
        .enumerate()
        .flat_map(|(index, (from, to, step))| {
            step.broken.iter().map(move |broken| {
                [
                    format!(
                        "<b>{}. {} to {}</b>",
                        index + 1,
                        escaped(drawing.name(from)),
                        escaped(drawing.name(to))
                    ),
                    format!("<code>{}</code>", escaped(&broken.rule)),
                    escaped(&broken.text),
                    escaped(&broken.source),
                ]
            })
        });
    table(
        "Rules of the vendor this path breaks",
        "refusals",
        ["Hop", "Rule", "What it breaks", "Source"],
        rows,
    )
}

fn advisories(drawing: &Drawing) -> String {
    let mut sorted: Vec<&Finding> = drawing.advisories.iter().collect();
    sorted.sort_by_key(|finding| finding.state);
    let rows = sorted.into_iter().map(|finding| {
        [
            format!(
                "<b>{}</b><small>{}</small>{}",
                escaped(&finding.id),
                escaped(&finding.severity),
                pill(finding.state)
            ),
            format!(
                "{}<small>{}</small>",
                escaped(&finding.title),
                escaped(&finding.effect)
            ),
            list("names", &finding.places),
            list("phrases", &finding.found),
            text_or_none(&finding.action),
            format!(
                "{}<small>confidence: {}</small>",
                escaped(&finding.source),
                escaped(&finding.confidence)
            ),
        ]
    });
    let heads = [
        "Advisory",
        "What happens",
        "Where",
        "Evidence, or what is missing",
        "What to do",
        "Source",
    ];
    table("Advisories", "advisories", heads, rows)
}

fn pill(state: State) -> String {
    format!("<span class=\"pill {}\">{}</span>", state.class(), state.words())
}

fn alternatives(drawing: &Drawing) -> String {
    let rows = drawing.alternatives.iter().map(|way| {
        [
            format!("<b>{}</b>", escaped(&way.label)),
            escaped(&stations(drawing, way)),
            way.steps.len().to_string(),
            format!(
                "<b>{}</b><small>{} at worst</small>",
                way.expected_minutes(),
                way.worst_minutes()
            ),
            if way.is_off_vendor() {
                "off-vendor"
            } else {
                "as the vendor allows"
            }
            .to_owned(),
        ]
    });
    table(
        "Alternatives",
        "alternatives",
        ["Why it is shown", "Releases", "Hops", "Minutes", "Rules"],
        rows,
    )
}

fn stations(drawing: &Drawing, way: &Way) -> String {
    let names: Vec<_> = way
        .stations
        .iter()
        .map(|station| drawing.name(*station))
        .collect();
    names.join(" → ")
}

fn refused(drawing: &Drawing) -> String {
    let rows = drawing.refused.iter().flat_map(|refused| {
        refused.reasons.iter().map(|reason| {
            [
                format!(
                    "<b>{} to {}</b>",
                    escaped(drawing.name(refused.from)),
                    escaped(drawing.name(refused.to))
                ),
                format!("<code>{}</code>", escaped(&reason.rule)),
                escaped(&reason.text),
                escaped(&reason.source),
            ]
        })
    });
    table("Refused", "refusals", ["Hop", "Rule", "Why", "Source"], rows)
}

fn sources(drawing: &Drawing) -> String {
    let rows = drawing.sources.iter().map(|source| {
        [
            escaped(&source.what),
            escaped(&source.source),
            escaped(&source.confidence),
        ]
    });
    table(
        "What this rests on",
        "sources",
        ["Fact", "Source", "Confidence"],
        rows,
    )
}

/// A section with a table of cells that are markup already; nothing where there are no rows.
fn table<const N: usize>(
    title: &str,
    class: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let rows: String = rows
        .map(|cells| {
            let cells: String = heads
                .iter()
                .zip(cells)
                .map(|(head, cell)| format!("<td data-label=\"{head}\"><div>{cell}</div></td>"))
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let heads = heads
        .map(|head| format!("<th scope=\"col\">{head}</th>"))
        .concat();
    format!(
        "<section>\n<h2>{title}</h2>\n<table class=\"{class}\">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</section>\n"
    )
}

fn list(class: &str, texts: &[String]) -> String {
    match texts {
        [] => text_or_none(""),
        [one] => escaped(one),
        _ => format!("<ul class=\"{class}\">{}</ul>", items(texts.iter())),
    }
}

fn items<'t>(texts: impl Iterator<Item = &'t String>) -> String {
    texts.map(|text| format!("<li>{}</li>", escaped(text))).collect()
}

fn text_or_none(text: &str) -> String {
    if text.is_empty() {
        "<span class=\"none\">none</span>".to_owned()
    } else {
        escaped(text)
    }
}
