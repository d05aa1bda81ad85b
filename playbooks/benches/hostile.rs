//! How long the most expensive checks that can be written take, and how much memory: over 100,000 routes, each check alone.
//! What bounds them is counted in steps (`src/expression/bounds.rs`); this shows what a step is worth.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time and prints it"
)]

use std::time::Instant;

use hopgate_playbooks::{ArpEntry, Fact, Facts, Playbook, Route, Verdict};
use jiff::Timestamp;

const ROUTES: usize = 100_000;

/// What one check looks at, one by one, and says.
const NEIGHBOURS: usize = 10_000;

/// Checks of each neighbour: what they do, their expression, and their message.
const CHECKS_OF_EACH: &[(&str, &str, &str)] = &[
    ("all of it in each message", "true", "{routes}"),
    ("all of it as a condition, each time", "dyn(routes)", "m"),
    ("a sum with all of it, each time", "dyn(routes) - 1 == 0", "m"),
    ("all of it at no place, each time", "dyn(routes)[0.5] == 0", "m"),
];

/// What a check does, and its expression.
const CHECKS: &[(&str, &str)] = &[
    ("nothing", "routes == null"),
    (
        "a fair condition on each",
        "routes.exists(r, r.destination.startsWith('10.') && r.metric > 9000)",
    ),
    (
        "a count of some",
        "size(routes.filter(r, r.next_hop == '192.0.2.7' && 'A' in r.flags)) > 70000",
    ),
    (
        "two inside of one another",
        "routes.all(a, routes.all(b, a.metric != b.metric || a == b))",
    ),
    (
        "three inside of one another",
        "routes.all(a, routes.all(b, routes.all(c, true)))",
    ),
    (
        "three, and what is inside is hidden",
        "routes.all(a, routes.all(b, routes.all(c, a.age + b.age > 0))) || true",
    ),
    (
        "three small lists of many",
        "routes.all(a, a.flags.all(b, a.flags.all(c, b == c || true)))",
    ),
    ("a list for each", "size(routes.map(a, routes)) > 0"),
    (
        "a list of copies",
        "size(routes.map(a, [a, a, a, a, a, a, a, a])) > 0",
    ),
    (
        "a list of maps",
        "size(routes.map(a, {'a': a, 'b': a, 'c': a})) > 0",
    ),
    (
        "maps in maps",
        "size(routes.map(a, {'a': {'b': {'c': {'d': a}}}})) > 0",
    ),
    ("small maps", "size(routes.map(a, {'a': 1})) > 0"),
    (
        "small maps of many keys",
        "size(routes.map(a, {'a': 1, 'b': 1, 'c': 1, 'd': 1, 'e': 1, 'f': 1, 'g': 1, 'h': 1, 'i': 1, 'j': 1})) > 0",
    ),
    ("small lists", "size(routes.map(a, [[1], [1], [1], [1]])) > 0"),
    (
        "a chain",
        "size(routes.map(a, a.metric).map(a, a + 1).filter(a, a > 0).map(a, [a]).map(a, a + a).map(a, a + a)) > 0",
    ),
    (
        "doubled lists",
        "size([[1]].map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x)) > 0",
    ),
    (
        "doubled texts",
        "size(['0123456789'].map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x)) > 0",
    ),
    (
        "a long text for each",
        "size(routes.map(a, '0123456789012345678901234567890123456789' + '0123456789012345678901234567890123456789' + a.destination)) > 0",
    ),
    (
        "patterns",
        "routes.exists(r, r.destination.matches('^((([0-9]{1,3})[.]){1,3}[0-9]{1,9}/x)+$'))",
    ),
    (
        "the longest patterns",
        "routes.exists(r, r.destination.matches('(x|xx|xxx|xxxx|.*a.*b.*c.*d.*e.*f.*){99}'))",
    ),
    (
        "letters of many alphabets",
        "routes.exists(r, r.destination.matches('\\\\pL{33}\\\\w{3}'))",
    ),
    (
        "the repeats of a repeat",
        "routes.exists(r, r.destination.matches('(\\\\pL{9}){9}'))",
    ),
    (
        "texts of numbers",
        "routes.exists(r, string(r.metric) + string(r.age) == 'x')",
    ),
    (
        "releases",
        "routes.exists(r, version_lt('10.2.4', '10.2.4-h4') && r.destination == '')",
    ),
    (
        "ends of life",
        "routes.exists(r, end_of_life('9.1.16') == r.destination)",
    ),
    (
        "fixes",
        "routes.exists(r, fix_state('10.2.7', 'PAN-221190') == r.destination)",
    ),
    (
        "days",
        "routes.exists(r, days_between('2026-01-01T00:00:00Z', '2026-01-02') == 7)",
    ),
    ("a search of each in all", "routes.exists(r, !(r in routes))"),
    ("all of it as text", "size(string(routes)) > 0"),
];

fn facts() -> Facts {
    let mut facts = Facts::unread("fw1", Timestamp::UNIX_EPOCH);
    let route = |at: usize| Route {
        virtual_router: "default".to_owned(),
        table: Some("unicast".to_owned()),
        destination: format!("10.{}.{}.{}/32", at / 65_536, at / 256 % 256, at % 256),
        next_hop: format!("192.0.2.{}", at % 250),
        interface: Some("ethernet1/1".to_owned()),
        metric: Some(10),
        flags: ["A", "S"].map(str::to_owned).to_vec(),
        age: Some(4_711),
    };
    facts.routes = Fact::Known((0..ROUTES).map(route).collect());
    let neighbour = |at: usize| ArpEntry {
        dataplane: None,
        interface: "ethernet1/1".to_owned(),
        address: format!("192.0.{}.{}", at / 256, at % 256),
        mac: None,
        port: None,
        status: None,
        ttl: None,
    };
    facts.arp = Fact::Known((0..NEIGHBOURS).map(neighbour).collect());
    facts
}

/// Resident memory of this process in MB, now and at its highest since [`from_here`].
fn resident_mb() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kib.unwrap_or(0) / 1024
    };
    (of("VmRSS:"), of("VmHWM:"))
}

/// Forgets how high it was. Where that is not allowed, heights are of all checks so far.
fn from_here() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn main() {
    let facts = facts();
    for (what, expression) in CHECKS {
        let expression = serde_json::Value::from(*expression);
        measure(
            &facts,
            what,
            &format!("needs: [routes], fail_when: {expression}, message: m"),
        );
    }
    for (what, expression, message) in CHECKS_OF_EACH {
        let [expression, message] = [*expression, *message].map(serde_json::Value::from);
        let looks = format!(
            "needs: [arp, routes], for_each: arp, as: one, fail_when: {expression}, message: {message}"
        );
        measure(&facts, what, &looks);
    }
}

fn measure(facts: &Facts, what: &str, check: &str) {
    let text = format!("playbook: p\ntitle: t\nchecks:\n  - {{id: c, title: t, severity: info, {check}}}\n");
    let playbook = match Playbook::parse("p.yaml", &text) {
        Ok(playbook) => playbook,
        Err(error) => {
            println!("{what:>38}: refused: {error}");
            return;
        }
    };
    from_here();
    let (before, _) = resident_mb();
    let began = Instant::now();
    let found = playbook.evaluate(facts, None);
    let took = began.elapsed();
    let (_, highest) = resident_mb();
    let verdict = match found.last().map(|finding| &finding.verdict) {
        Some(Verdict::Error { detail }) => detail.rsplit_once("`: ").map_or(detail.as_str(), |(_, why)| why),
        other => &format!("{other:?}").to_lowercase(),
    };
    println!(
        "{what:>38}: {:>5} ms, {:>4} MB more, {verdict}",
        took.as_millis(),
        highest - before
    );
}
