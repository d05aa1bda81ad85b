//! The table as it stands on a terminal, cell by cell.

use std::io;
use std::sync::{Arc, Mutex};

use hopgate_playbooks::{Severity, Verdict};
use indicatif::{ProgressDrawTarget, TermLike};

use super::{SHOWN, Table};
use crate::audit::Audited;
use crate::audit::tests::{answer, device, unknown};

/// A terminal of this size that has something on it already, as what hopgate drew on leaves it.
#[derive(Debug, Clone)]
struct Screen {
    columns: u16,
    rows: u16,
    cells: Arc<Mutex<Cells>>,
}

#[derive(Debug)]
struct Cells {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Screen {
        let cells = Cells {
            lines: vec!["$ hopgate audit".chars().collect(), Vec::new()],
            row: 1,
            column: 0,
        };
        Screen {
            columns,
            rows,
            cells: Arc::new(Mutex::new(cells)),
        }
    }

    /// A table on it that draws whenever it is told something.
    fn table(&self) -> Table {
        Table::on(ProgressDrawTarget::term_like(Box::new(self.clone())))
    }

    fn text(&self) -> String {
        let cells = self.cells.lock().unwrap();
        let lines = cells.lines.iter().map(|line| line.iter().collect::<String>());
        let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }
}

impl Cells {
    fn put(&mut self, character: char, columns: usize) {
        // As terminals do: a full line goes on below once there is something to put there.
        if self.column == columns {
            (self.row, self.column) = (self.row + 1, 0);
        }
        if self.lines.len() <= self.row {
            self.lines.resize(self.row + 1, Vec::new());
        }
        let line = &mut self.lines[self.row];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = character;
        self.column += 1;
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.columns
    }

    fn height(&self) -> u16 {
        self.rows
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut cells = self.cells.lock().unwrap();
        cells.row = cells.row.saturating_sub(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.cells.lock().unwrap().row += n;
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.cells.lock().unwrap().column += n;
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        let mut cells = self.cells.lock().unwrap();
        cells.column = cells.column.saturating_sub(n);
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        let mut cells = self.cells.lock().unwrap();
        (cells.row, cells.column) = (cells.row + 1, 0);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut cells = self.cells.lock().unwrap();
        for character in text.chars() {
            assert!(!character.is_control(), "{text:?}");
            cells.put(character, usize::from(self.columns));
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let mut cells = self.cells.lock().unwrap();
        let row = cells.row;
        if let Some(line) = cells.lines.get_mut(row) {
            line.clear();
        }
        cells.column = 0;
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// One for every way to stand, and one with an answer that would draw over its neighbours.
fn answers() -> Vec<Audited> {
    let mut warned = answer("core-files", None, Verdict::Fail, "There is a core file.");
    warned.finding.severity = Severity::Warn;
    let exposed = device(
        "vie-edge1",
        None,
        vec![
            answer("PAN-221190", Some("ethernet1/1"), Verdict::Fail, "It loops."),
            answer("PAN-221190", Some("ethernet1/2"), Verdict::Fail, "It loops."),
            warned,
            answer("PAN-252131", None, unknown("optics"), ""),
            answer("disk-space", None, Verdict::Pass, ""),
        ],
    );
    let undecided = device(
        "vie-core",
        None,
        vec![answer("PAN-221190", None, unknown("optics"), "")],
    );
    let mut silent = device("graz-branch-117", None, Vec::new());
    (silent.model, silent.version) = (None, None);
    silent.unread = Some("no answer within 120 s: connecting to 192.0.2.17".to_owned());
    silent.took_ms = 120_061;
    let mut hostile = device("linz", None, vec![answer("disk-space", None, Verdict::Pass, "")]);
    hostile.model = Some("PA\u{1b}[2J\n".to_owned());
    vec![exposed, undecided, silent, hostile]
}

fn show(screen: &Screen, devices: &[Audited]) -> Table {
    let mut table = screen.table();
    table.begin(devices.iter().map(|device| &device.device));
    for (place, device) in devices.iter().enumerate() {
        table.answered(device);
        table.counted(
            place + 1,
            "counts; slow: a-device-with-a-long-name 90 s".to_owned(),
        );
    }
    table
}

#[test]
fn every_answer_has_a_row_the_newest_below_the_counts() {
    let screen = Screen::new(110, 24);
    let _table = show(&screen, &answers());
    insta::assert_snapshot!(screen.text(), @r"
    $ hopgate audit
    ============ 4/4  counts; slow: a-device-with-a-long-name 90 s
    clear    linz             PA\u{1b}[2J\u{a} 10.1.14-h9    1.2 s
    unknown  graz-branch-117  ?         ?           120.0 s  could not be read: no answer within 120 s: connecting
    unknown  vie-core         PA-850    10.1.14-h9    1.2 s  1 cannot tell
    EXPOSED  vie-edge1        PA-850    10.1.14-h9    1.2 s  1 block, 1 warn, 1 cannot tell
    ");
}

#[test]
fn a_narrow_terminal_cuts_rows_and_wraps_none() {
    let screen = Screen::new(52, 24);
    let _table = show(&screen, &answers());
    insta::assert_snapshot!(screen.text(), @r"
    $ hopgate audit
    ============ 4/4  counts; slow: a-device-with-a-long
    clear    linz             PA\u{1b}[2J\u{a} 10.1.14-h
    unknown  graz-branch-117  ?         ?           120.
    unknown  vie-core         PA-850    10.1.14-h9    1.
    EXPOSED  vie-edge1        PA-850    10.1.14-h9    1.
    ");
}

/// `c` a clear one, `x` an exposed one, in the order of their answers.
fn run(screen: &Screen, kinds: &str) -> Table {
    let devices: Vec<Audited> = kinds
        .chars()
        .enumerate()
        .map(|(place, kind)| {
            let verdict = if kind == 'x' { Verdict::Fail } else { Verdict::Pass };
            device(
                &format!("{kind}{place}"),
                None,
                vec![answer("disk-space", None, verdict, "")],
            )
        })
        .collect();
    show(screen, &devices)
}

/// Whom a screen shows, from the top.
fn shown(screen: &Screen) -> Vec<String> {
    let text = screen.text();
    let rows = text.lines().skip(2);
    let names = rows.filter_map(|row| row.split_whitespace().nth(1));
    names.map(str::to_owned).collect()
}

#[test]
fn a_clear_device_gives_way_first_and_pushes_nobody_out_who_needs_a_person() {
    for (kinds, expected) in [
        ("cxccccccccccx", "x12 c11 c10 c9 c8 c7 c6 c5 c4 x1"),
        ("xxxxxxxxxxcc", "x9 x8 x7 x6 x5 x4 x3 x2 x1 x0"),
        ("xxxxxxxxxxcx", "x11 x9 x8 x7 x6 x5 x4 x3 x2 x1"),
    ] {
        let screen = Screen::new(80, 24);
        let _table = run(&screen, kinds);
        assert_eq!(shown(&screen).join(" "), expected, "{kinds}");
        assert_eq!(shown(&screen).len(), SHOWN);
    }
}

#[test]
fn a_low_terminal_shows_the_newest() {
    let screen = Screen::new(80, 5);
    let mut table = run(&screen, "cccccccccccc");
    assert_eq!(shown(&screen).join(" "), "c11 c10 c9 c8");
    table.end();
    assert_eq!(screen.text(), "$ hopgate audit");
}

#[test]
fn nothing_of_it_stays() {
    let screen = Screen::new(110, 24);
    let mut table = show(&screen, &answers());
    assert!(screen.text().lines().count() > answers().len());
    table.end();
    drop(table);
    assert_eq!(screen.text(), "$ hopgate audit");
    // What is written next stands where it stood.
    screen.write_str("1 device asked").unwrap();
    assert_eq!(screen.text(), "$ hopgate audit\n1 device asked");
}
