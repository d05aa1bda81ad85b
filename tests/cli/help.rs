//! Help and usage: an example for every command, the examples work, and a wrong command line is status 2.

use std::process::{Command, Stdio};

use hopgate_tests::process;

use super::desk::{Desk, plain};

const COMMANDS: [&str; 18] = [
    "",
    "demo",
    "simulate",
    "plan",
    "approve",
    "run",
    "resume",
    "status",
    "timeline",
    "why",
    "report",
    "audit",
    "audit history",
    "audit diff",
    "facts",
    "inventory",
    "journal export",
    "journal check",
];

#[test]
fn every_command_helps_with_an_example_of_itself() {
    let desk = Desk::new();
    for command in COMMANDS {
        let help = desk.done(&format!("{command} --help"));
        let example = help
            .lines()
            .find_map(|line| line.strip_prefix("Example: hopgate "));
        let example = example.unwrap_or_else(|| panic!("hopgate {command} --help has no example:\n{help}"));
        assert!(
            example.starts_with(command),
            "hopgate {command} --help shows {example:?}"
        );
        let wide = help.lines().find(|line| line.chars().count() > 110);
        assert_eq!(wide, None, "hopgate {command} --help is wider than 110 columns");
    }
    let listed = desk.done("--help");
    for command in COMMANDS.iter().filter_map(|command| command.split(' ').next()) {
        assert!(listed.contains(command), "{command} is not listed");
    }
}

/// An example that does not parse would be usage, status 2; one that parses fails for want of its files, or works.
#[test]
fn every_example_is_a_command_line() {
    let desk = Desk::new();
    desk.write("inventory.yaml", "devices: 0");
    desk.write("campaign.yaml", "campaign: 0");
    for command in COMMANDS.iter().filter(|command| !["", "demo"].contains(command)) {
        let help = desk.done(&format!("{command} --help"));
        let example = help
            .lines()
            .find_map(|line| line.strip_prefix("Example: hopgate "))
            .unwrap();
        let ended = desk.run(example);
        assert_eq!(ended.code, Some(1), "hopgate {example}: {ended:#?}");
    }
}

#[test]
fn the_fleet_in_the_help_is_served() {
    let desk = Desk::new();
    let help = desk.done("simulate --help");
    let (_, fleet) = help.split_once("A fleet file:\n").unwrap();
    desk.write("fleet.yaml", &fleet.replace("\n  ", "\n").replacen("  ", "", 1));
    let simulator = process::Simulator::serve(desk.path(), 60);
    let served = simulator.get("/fleet");
    assert_eq!(
        served
            .pointer("/devices")
            .and_then(|devices| devices.as_array())
            .unwrap()
            .len(),
        3
    );
    assert_eq!(simulator.end().code, Some(0));
}

#[test]
fn a_wrong_command_line_is_status_2_on_standard_error() {
    let desk = Desk::new();
    for wrong in [
        "",
        "launch",
        "run",
        "run a b",
        "run campaign.yaml --fast",
        "approve spring rest --as petra",
        "approve spring no/wave --as petra --reason x",
        "resume",
        "simulate fleet.yaml --port seventy",
        "simulate",
        "simulate fleet.yaml --generate 3",
        "simulate fleet.yaml --seed 3",
        "simulate from-audit",
    ] {
        let ended = desk.run(wrong);
        assert_eq!(ended.code, Some(2), "hopgate {wrong}: {ended:#?}");
        assert_eq!(ended.stdout, "", "hopgate {wrong}");
        assert!(!ended.stderr.is_empty(), "hopgate {wrong}");
        plain(&ended);
        assert!(
            !desk.path().join(".hopgate").exists(),
            "hopgate {wrong} made a state directory"
        );
    }
}

/// On a terminal, which `script` makes: colours are for who wants them.
#[test]
fn no_color_is_respected_on_a_terminal() {
    let desk = Desk::new();
    let on_terminal = |no_color: &str| {
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command"]);
        command.arg(format!("{} launch", process::hopgate().display()));
        command
            .arg("/dev/null")
            .current_dir(desk.path())
            .env("TERM", "xterm")
            .env("NO_COLOR", no_color);
        command.stdin(Stdio::null()).output()
    };
    let Ok(colored) = on_terminal("") else {
        println!("SKIPPED: colours on a terminal: there is no `script` here");
        return;
    };
    let said = String::from_utf8_lossy(&colored.stdout).into_owned();
    assert!(said.contains('\u{1b}'), "a terminal shows colours: {said:?}");
    let plain = on_terminal("1").unwrap();
    let said = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(said.contains("unrecognized subcommand"), "{said:?}");
    assert!(!said.contains('\u{1b}'), "NO_COLOR: {said:?}");
}
