//! `hopgate path`: the arguments, and which answer goes where.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use hopgate_paths::picture::{Drawing, Subject};
use hopgate_paths::{Alternative, Catalogue, Graph, NoRoute, Preference, Request, Target, Version};

use super::{ask, note, say};
use crate::catalogue;
use crate::clock::Clock;
use crate::config::inventory::Inventory;
use crate::config::selector::Selector;
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::path::words::{self, Length};
use crate::path::{self, PathError, Wishes, fleet};

/// Examples that a test runs.
pub(super) const HELP: &str = "\
Example: hopgate path 9.1.12-h3 11.1.6 --model PA-850

  hopgate path 9.1.12 10.2.4-h4 --model PA-850 --via 10.1.0,10.2.0
  hopgate path 10.1.14-h9 11.1 --model PA-440 --alternatives 3
  hopgate path 10.1.14-h9 10.2 --model PA-850 --format svg --out path.svg
  hopgate path --inventory inventory.yaml --to 10.2
  hopgate path explain 10.1.14 12.1.2 --model PA-3220
  hopgate path fixes PAN-221190 --model PA-850 --from 10.2.4-h4";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct PathArgs {
    #[command(subcommand)]
    question: Option<Question>,
    /// The release it runs.
    #[arg(required_unless_present = "inventory", requires = "to")]
    from: Option<Version>,
    /// The target: a release, or a feature release for where the model stops in it.
    #[arg(conflicts_with = "inventory")]
    to: Option<Target>,
    /// Model, as `show system info` names it.
    #[arg(long, required_unless_present = "inventory", conflicts_with = "inventory")]
    model: Option<String>,
    /// Ask the devices of an inventory instead.
    #[arg(long, value_name = "FILE", requires = "target")]
    inventory: Option<PathBuf>,
    /// With an inventory: the target.
    #[arg(long = "to", value_name = "RELEASE", id = "target", requires = "inventory")]
    target: Option<Target>,
    /// With an inventory: only these devices (customer=acme,model~PA-8*,version<10.2), or a group that it names (canaries, !canaries).
    #[arg(long, value_name = "SELECTOR", requires = "inventory")]
    group: Option<Selector>,
    #[command(flatten)]
    wishes: WishArgs,
    /// Up to so many different ways: the fewest reboots, the least risk, the vendor's own, then the next cheapest.
    #[arg(long, value_name = "N", conflicts_with = "inventory", value_parser = clap::value_parser!(u8).range(1..=20))]
    alternatives: Option<u8>,
    /// Tell every advisory in full.
    #[arg(long)]
    full: bool,
    /// How it is shown.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write it to this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct WishArgs {
    /// Releases to stop at, in order: exactly these, whatever rules they break.
    #[arg(long, value_name = "RELEASES", value_delimiter = ',')]
    via: Vec<Version>,
    /// Allow a wider reach than the vendor's published table, by its name.
    #[arg(long, value_name = "NAME")]
    reach: Option<String>,
    /// Allow a target older than what runs.
    #[arg(long)]
    allow_downgrade: bool,
    /// What matters most.
    #[arg(long, value_enum, default_value_t = Prefer::Balanced)]
    prefer: Prefer,
    #[command(flatten)]
    rows: RowArgs,
}

#[derive(Debug, Args)]
struct RowArgs {
    /// Overlay of the release catalogue; may be given several times.
    #[arg(long = "catalogue", value_name = "FILE")]
    overlays: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Question {
    /// Say why a path is refused, edge by edge, and what would do instead.
    #[command(after_help = "Example: hopgate path explain 10.1.14 12.1.2 --model PA-3220")]
    Explain {
        /// The release it runs.
        from: Version,
        /// The target.
        to: Target,
        /// Model, as `show system info` names it.
        #[arg(long)]
        model: String,
        #[command(flatten)]
        wishes: WishArgs,
        /// As JSON instead of words.
        #[arg(long)]
        json: bool,
    },
    /// Find the nearest releases that hold a fix, and the path to each.
    #[command(after_help = "Example: hopgate path fixes PAN-221190 --model PA-850 --from 10.2.4-h4")]
    Fixes {
        /// The advisory.
        advisory: String,
        /// Model, as `show system info` names it.
        #[arg(long)]
        model: String,
        /// The release it runs.
        #[arg(long)]
        from: Version,
        #[command(flatten)]
        rows: RowArgs,
        /// As JSON instead of words.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Words for a terminal.
    Text,
    /// Everything, for programs.
    Json,
    /// Graphviz.
    Dot,
    /// A flowchart for Markdown.
    Mermaid,
    /// A picture.
    Svg,
    /// A page with the picture and everything around it.
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Prefer {
    /// Minutes and risk together.
    Balanced,
    /// As few reboots as the rules allow.
    FewestReboots,
    /// As little risk as possible.
    LeastRisk,
    /// What the vendor recommends.
    Vendor,
}

impl WishArgs {
    fn wishes(&self) -> Wishes {
        Wishes {
            via: self.via.clone(),
            reach: self.reach.clone(),
            allow_downgrade: self.allow_downgrade,
            prefer: match self.prefer {
                Prefer::Balanced => Preference::Balanced,
                Prefer::FewestReboots => Preference::FewestReboots,
                Prefer::LeastRisk => Preference::LeastRisk,
                Prefer::Vendor => Preference::Vendor,
            },
        }
    }
}

/// Answers.
pub(super) async fn path(state: &Path, args: PathArgs) -> Result<Exit, Failure> {
    match &args.question {
        Some(Question::Explain {
            from,
            to,
            model,
            wishes,
            json,
        }) => explain((*from, *to), model, wishes, *json),
        Some(Question::Fixes {
            advisory,
            model,
            from,
            rows,
            json,
        }) => fixes(advisory, model, *from, rows, *json),
        None => match (&args.inventory, args.target, args.from, args.to, &args.model) {
            (Some(inventory), Some(target), ..) => whole_fleet(state, inventory, target, &args).await,
            (None, _, Some(from), Some(to), Some(model)) => one(from, to, model, &args),
            // clap's rules above leave no other combination.
            _ => Ok(Exit::Failure),
        },
    }
}

fn one(from: Version, to: Target, model: &str, args: &PathArgs) -> Result<Exit, Failure> {
    let catalogue = catalogue::load(&args.wishes.rows.overlays, Path::new(""))?;
    let graph = path::graph(&catalogue, model)?;
    let wishes = args.wishes.wishes();
    let request = wishes.request(from, to);
    let found = match args.alternatives {
        None => graph.plan(&request).map(|plan| {
            vec![Alternative {
                labels: Vec::new(),
                plan,
            }]
        }),
        Some(wanted) => graph.alternatives(&request, usize::from(wanted)),
    };
    if !matches!(args.format, Format::Text | Format::Json) {
        // A refusal has a picture too: what was tried, and which edges refuse.
        let text = picture(&catalogue, &graph, &request, &found, args.format);
        put(&text, args.out.as_deref())?;
    }
    if let Err(NoRoute::NothingToDo { version }) = &found {
        note(&format!("nothing to do: the {model} runs {version} already"));
        return Ok(Exit::Success);
    }
    let found = found.map_err(|refusal| path::no_route(model, &request, refusal))?;
    let length = if args.full { Length::Full } else { Length::Short };
    let text = match (args.format, args.alternatives, found.as_slice()) {
        (Format::Json, Some(_), found) => pretty(&found),
        (Format::Text, Some(_), found) => words::alternatives(found, length),
        (Format::Json, None, [only]) => pretty(&only.plan),
        (Format::Text, None, [only]) => words::path(&only.plan, length),
        _ => return Ok(Exit::Success),
    };
    put(&text, args.out.as_deref())
}

fn picture(
    catalogue: &Catalogue,
    graph: &Graph<'_>,
    request: &Request<'_>,
    found: &Result<Vec<Alternative>, NoRoute>,
    format: Format,
) -> String {
    let ways = found.as_deref().unwrap_or_default();
    let instead = if ways.is_empty() {
        graph.explain(request).instead
    } else {
        Vec::new()
    };
    // Where even the edges are refused, the refusal is what there is to draw.
    let edges = graph.edges(request).unwrap_or_default();
    let nothing = NoRoute::NothingToDo {
        version: request.from,
    };
    let drawing = Drawing::of(&Subject {
        catalogue,
        model: graph.model(),
        from: request.from,
        to: request.to,
        outcome: match found {
            Ok(ways) => ways.first().map(|way| &way.plan).ok_or(&nothing),
            Err(refusal) => Err(refusal),
        },
        alternatives: ways.get(1..).unwrap_or_default(),
        edges: &edges,
        instead: &instead,
        today: &today(),
    });
    drawn(&drawing, format)
}

fn drawn(drawing: &Drawing, format: Format) -> String {
    match format {
        Format::Dot => drawing.to_dot(),
        Format::Mermaid => drawing.to_mermaid(),
        Format::Svg => drawing.to_svg(),
        Format::Html | Format::Text | Format::Json => drawing.to_html(),
    }
}

/// The day pictures shade ended support by, in UTC: half a day more or less does not change a change request.
fn today() -> String {
    Clock::system().now().strftime("%Y-%m-%d").to_string()
}

async fn whole_fleet(
    state: &Path,
    inventory_path: &Path,
    target: Target,
    args: &PathArgs,
) -> Result<Exit, Failure> {
    if !matches!(args.format, Format::Text | Format::Json) {
        return Err(Failure::unknown(
            "a fleet has no one picture",
            "ask for one device: hopgate path FROM TO --model MODEL --format svg",
        ));
    }
    let catalogue: std::borrow::Cow<'_, Catalogue> =
        catalogue::load(&args.wishes.rows.overlays, Path::new(""))?;
    let inventory = Inventory::load(inventory_path)?;
    let selection = args.group.clone().unwrap_or_default().resolved(&inventory)?;
    let clock = inventory.clock();
    let opened = ask::open_for_pins(state).await?;
    let connections = connect(&inventory, inventory_path, opened.ledger())?;
    let wishes = args.wishes.wishes();
    let rows = fleet::rows(
        &connections.clients,
        &inventory,
        &selection,
        &catalogue,
        (target, &wishes),
        &clock,
    )
    .await;
    connections.record_first_use(opened.ledger(), clock.now()).await?;
    ask::close(opened).await;
    let text = if args.format == Format::Json {
        pretty(&rows)
    } else {
        fleet::text(&rows)
    };
    put(&text, args.out.as_deref())?;
    let clear = rows
        .iter()
        .all(|row| matches!(row.found, fleet::Found::Path(_) | fleet::Found::NothingToDo));
    Ok(if clear { Exit::Success } else { Exit::Attention })
}

fn explain(
    (from, to): (Version, Target),
    model: &str,
    wishes: &WishArgs,
    json: bool,
) -> Result<Exit, Failure> {
    let catalogue = catalogue::load(&wishes.rows.overlays, Path::new(""))?;
    let graph = path::graph(&catalogue, model)?;
    let wishes = wishes.wishes();
    let told = graph.explain(&wishes.request(from, to));
    say(&if json {
        pretty(&told)
    } else {
        words::explanation(&told)
    });
    Ok(Exit::Success)
}

fn fixes(advisory: &str, model: &str, from: Version, rows: &RowArgs, json: bool) -> Result<Exit, Failure> {
    let catalogue = catalogue::load(&rows.overlays, Path::new(""))?;
    let graph = path::graph(&catalogue, model)?;
    let found = graph.fixes(from, advisory).map_err(PathError::Fixes)?;
    let title = catalogue
        .advisory(advisory)
        .map_or("", |advisory| advisory.title.as_str());
    say(&if json {
        pretty(&found)
    } else {
        words::fixes(advisory, title, from, &found)
    });
    Ok(Exit::Success)
}

fn pretty(value: &impl serde::Serialize) -> String {
    // Plans hold only strings, numbers and lists, none of which fail to serialize.
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn put(text: &str, file: Option<&Path>) -> Result<Exit, Failure> {
    let Some(file) = file else {
        say(text);
        return Ok(Exit::Success);
    };
    let written = std::fs::File::create(file).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    written.map_err(|error| {
        let what = std::io::Error::other(format!("failed to write {}: {error}", file.display()));
        Failure::new("C001", "check the directory and its rights", what)
    })?;
    note(&format!("written to {}", file.display()));
    Ok(Exit::Success)
}
