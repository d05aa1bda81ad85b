//! What holds whatever is asked.

use std::collections::BTreeSet;

use super::device::Device;
use super::*;
use crate::plan::Cost;

const MODELS: &[&str] = &[
    "PA-220", "PA-410", "PA-850", "PA-3220", "PA-5220", "PA-5450", "PA-7050", "PA-7500", "PA-VM",
];

/// Short in every build; long where somebody asks for all that can be tested.
fn cases() -> ProptestConfig {
    let full = std::env::var_os("HOPGATE_FULL").is_some_and(|full| full == "1");
    ProptestConfig::with_cases(if full { 20_000 } else { 32 })
}

fn any_release() -> impl Strategy<Value = Version> {
    let catalogue = Catalogue::embedded().unwrap();
    let known: Vec<_> = catalogue.releases().map(|release| release.version).collect();
    prop_oneof![
        8 => prop::sample::select(known),
        1 => (0..11usize, 0..30u16).prop_map(move |(place, maintenance)| {
            Version::of(catalogue.trains()[place].train, maintenance)
        }),
    ]
}

fn any_preference() -> impl Strategy<Value = Preference> {
    prop::sample::select(vec![
        Preference::Balanced,
        Preference::FewestReboots,
        Preference::LeastRisk,
        Preference::Vendor,
    ])
}

fn any_device() -> impl Strategy<Value = Option<Device>> {
    let flag = prop::sample::select(
        crate::vocabulary::FLAGS
            .iter()
            .map(|word| word.name)
            .collect::<Vec<_>>(),
    );
    let class = prop::sample::select(vec![
        "allowed",
        "known-bad",
        "unknown-vendor",
        "unreadable",
        "empty",
    ]);
    let device = (
        prop::collection::vec((flag, any::<bool>()), 0..6),
        prop::collection::vec((1..12u32, class), 0..3),
        any::<bool>(),
        prop::option::of(1_000..32_000u64),
    )
        .prop_map(|(flags, modules, plain, memory)| {
            let start = if plain { Device::plain() } else { Device::default() };
            let device = flags
                .into_iter()
                .fold(start, |device, (name, so)| device.flag(name, so));
            let device = modules.into_iter().fold(device, |device, (port, class)| {
                device.module(port, class, Some("X"))
            });
            match memory {
                Some(memory) => device.number("memory-mb", memory),
                None => device,
            }
        });
    prop::option::of(device)
}

/// An advisory as an overlay would write it.
fn any_advisory() -> impl Strategy<Value = String> {
    let train = prop::sample::select(vec![
        "9.1", "10.0", "10.1", "10.2", "11.0", "11.1", "11.2", "12.1",
    ]);
    let when = prop::sample::select(vec![
        "[]",
        "[{ flag = \"ha\" }]",
        "[{ flag = \"hsm\" }]",
        "[{ number = \"memory-mb\", below = 14000 }]",
        "[{ optics = { classes = [\"unknown-vendor\"] } }]",
    ]);
    let severity = prop::sample::select(vec!["block", "warn"]);
    let defect = (train.clone(), 0..20u16, any::<bool>()).prop_map(|(train, maintenance, on)| {
        if on {
            format!("kind = \"defect\"\naffected = [\"{train}+\"]")
        } else {
            format!("kind = \"defect\"\nfixed_in = [\"{train}.{}\"]", maintenance + 2)
        }
    });
    let condition = (train.clone(), train, any::<bool>()).prop_map(|(from, to, any)| {
        let from = if any { String::new() } else { format!("\"{from}\"") };
        format!("kind = \"condition\"\nfrom = [{from}]\nto = [\"{to}+\"]\ndirection = \"any\"")
    });
    (prop_oneof![defect, condition], when, severity).prop_map(|(what, when, severity)| {
        format!(
            "[[advisory]]\nid = \"T-1\"\ntitle = \"t\"\n{what}\nwhen = {when}\nseverity = \"{severity}\"\n\
             effect = \"e\"\naction = \"a\"\nsource = \"s\"\nconfidence = \"low\"\n"
        )
    })
}

fn view(device: &Option<Device>) -> Option<&dyn crate::view::FactsView> {
    device
        .as_ref()
        .map(|device| device as &dyn crate::view::FactsView)
}

proptest! {
    #![proptest_config(cases())]

    /// A path never takes an edge that is refused, whatever is asked and whoever asks; what is refused names a rule
    /// there is; the same question has the same answer.
    #[test]
    fn a_path_never_takes_a_refused_edge(
        model in prop::sample::select(MODELS), from in any_release(), to in any_release(), prefer in any_preference(),
        device in any_device(), allow_downgrade in any::<bool>(), wider in any::<bool>(),
    ) {
        let graph = graph(model);
        let request = Request {
            prefer, view: view(&device), allow_downgrade, wider_reach: wider.then_some("ansible"), ..Request::new(from, to)
        };
        let rules: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        let answer = graph.plan(&request);
        prop_assert_eq!(&answer, &graph.plan(&request));
        if let Ok(edges) = graph.edges(&request) {
            for rule in edges.iter().flat_map(|edge| &edge.refused) {
                prop_assert!(rules.contains(rule.rule.as_str()), "{}", rule.rule);
                prop_assert!(!rule.text.is_empty() && !rule.source.is_empty());
            }
            if let Ok(plan) = &answer {
                for hop in &plan.route.hops {
                    let edge = edges.iter().find(|edge| (edge.from, edge.to, edge.kind) == (hop.from, hop.to, hop.kind));
                    prop_assert!(edge.is_some_and(|edge| edge.refused.is_empty() && edge.cost.is_some()), "{} -> {}", hop.from, hop.to);
                    prop_assert!(hop.kind != HopKind::Revert && hop.broken_rules.is_empty());
                }
                prop_assert!(plan.hops.iter().flat_map(|hop| &hop.advisories).all(|assessed| device.is_none() || !assessed.blocks()));
            }
        }
        for rule in graph.explain(&request).direct {
            prop_assert!(rules.contains(rule.rule.as_str()), "{}", rule.rule);
        }
    }

    /// Whatever becomes known makes no path cheaper, and takes no way there was not.
    #[test]
    fn an_added_advisory_never_makes_a_path_cheaper(
        model in prop::sample::select(MODELS), from in any_release(), to in any_release(), advisory in any_advisory(),
        device in any_device(), to_train in any::<bool>(),
    ) {
        let before = Catalogue::embedded().unwrap();
        let after = before.overlaid(&[("mine.toml", &advisory)]).unwrap();
        let to = if to_train { Target::Train(to.train()) } else { Target::Version(to) };
        let request = Request { view: view(&device), ..Request::new(from, to) };
        let cost = |catalogue: &Catalogue| {
            let graph = Graph::new(catalogue, model).unwrap();
            graph.plan(&request).ok().map(|plan| plan.cost)
        };
        match (cost(before), cost(&after)) {
            (Some(before), Some(after)) => prop_assert!(after.total() >= before.total(), "{before:?} -> {after:?}"),
            // A target that is a feature release may move below what runs, or back above it.
            (None, Some(after)) => prop_assert!(to_train, "a way appeared: {after:?}"),
            (_, None) => {}
        }
    }

    /// Pinning exactly the releases the best path stops at gives the best path.
    #[test]
    fn the_vendors_path_pinned_is_the_vendors_path(
        model in prop::sample::select(MODELS), from in any_release(), to in any_release(), device in any_device(),
    ) {
        let graph = graph(model);
        let request = Request { view: view(&device), ..Request::new(from, to) };
        if let Ok(plan) = graph.plan(&request) {
            let via: Vec<_> = plan.route.hops.iter().map(|hop| hop.to).collect();
            let pinned = graph.plan(&Request { via: &via, ..request }).unwrap();
            prop_assert_eq!(pinned, plan);
        }
    }

    /// The best by a preference is not worse by it than any other path that is offered.
    #[test]
    fn no_alternative_is_better_by_what_was_preferred(
        model in prop::sample::select(MODELS), from in any_release(), to in any_release(), device in any_device(),
    ) {
        let graph = graph(model);
        let request = Request { view: view(&device), ..Request::new(from, to) };
        if let Ok(found) = graph.alternatives(&request, 6) {
            let best = |prefer: Preference| found.iter().find(|one| one.labels.contains(&crate::plan::Label::Best(prefer)));
            if let Some(fewest) = best(Preference::FewestReboots) {
                prop_assert!(found.iter().all(|one| one.plan.hops.len() >= fewest.plan.hops.len()));
            }
            if device.is_some() {
                let balanced = best(Preference::Balanced).unwrap().plan.cost.total();
                let next = found.iter().filter(|one| one.labels.contains(&crate::plan::Label::NextCheapest));
                prop_assert!(next.into_iter().all(|one| one.plan.cost.total() >= balanced));
            }
            for one in &found {
                prop_assert!(one.plan.hops.iter().fold(Cost::default(), |sum, hop| sum + hop.cost) == one.plan.cost);
            }
        }
    }
}

#[test]
fn a_graph_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&graph("PA-850"));
}

#[test]
fn every_rule_stands_once_and_says_what_it_demands() {
    let ids: BTreeSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), Rule::ALL.len());
    assert!(Rule::ALL.iter().all(|rule| rule.meaning().ends_with('.')));
}
