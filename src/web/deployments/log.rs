//! A deployment's log as lines for a page: its bounded end at first, then what is added.
//!
//! A chunk of a log may end anywhere. Lines are told apart here; the last one may still grow and is kept apart from
//! those that are complete, so that what is shown of it can be replaced.

use std::io;

use askama::Template;
use askama::filters::HtmlSafe;

use crate::logs::Logs;
use crate::model::deployment::Step;
use crate::model::ids::DeploymentId;
use crate::web::ansi::{self, Span};

/// Lines of a log that a page holds at first, far below what slows a browser down.
pub const SHOWN_LINES: usize = 1_000;
/// Bytes of a log that are looked at for those lines.
const SHOWN_BYTES: u64 = 64 * 1024;
/// Of a line that never ends this much is held, in bytes; more than is shown of one.
const LONGEST_PENDING: usize = 64 * 1024;
/// What begins a line that begins a step.
const STEP_MARK: &str = "==> ";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogLine {
    /// A step begins.
    Step(&'static str),
    /// Anything else.
    Text(Vec<Span>),
}

impl LogLine {
    fn parse(line: &str) -> Self {
        match line.strip_prefix(STEP_MARK).map(Step::parse) {
            Some(Ok(step)) => Self::Step(step.as_str()),
            _ => Self::Text(ansi::spans(line)),
        }
    }
}

/// Lines as markup of a page's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "deployments/_log_lines.html")]
pub struct LogLines {
    /// From the oldest to the newest.
    pub lines: Vec<LogLine>,
    /// Whether earlier lines are left out.
    pub is_cut: bool,
}

/// What it prints is made by its template, which escapes.
impl HtmlSafe for LogLines {}

impl From<Vec<LogLine>> for LogLines {
    fn from(lines: Vec<LogLine>) -> Self {
        Self {
            lines,
            ..Self::default()
        }
    }
}

/// Lines that an open page appends.
#[derive(Debug, Template)]
#[template(source = r#"<span class="log-chunk log-new">{{ lines }}</span>"#, ext = "html")]
pub struct LogChunk {
    /// The lines.
    pub lines: LogLines,
}

/// The line that still grows, below all others; hidden while there is none.
#[derive(Debug, Template)]
#[template(path = "deployments/_log_pending.html")]
pub struct PendingLine<'a> {
    /// The line as far as it is known.
    pub line: Option<&'a LogLine>,
}

/// Puts chunks of a log together to lines.
#[derive(Debug)]
pub struct LineReader {
    pending: String,
    /// Offset in bytes of the first line that is not complete.
    offset: u64,
    pending_bytes: u64,
}

impl LineReader {
    /// Begins at an offset, which should be that of a line.
    pub fn at(offset: u64) -> Self {
        Self {
            pending: String::new(),
            offset,
            pending_bytes: 0,
        }
    }

    /// Takes the next chunk and answers the lines that it completes.
    pub fn push(&mut self, chunk: &str) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for piece in chunk.split_inclusive('\n') {
            self.pending_bytes += piece.len() as u64;
            match piece.strip_suffix('\n') {
                Some(end) => {
                    self.pending.push_str(end);
                    lines.push(LogLine::parse(&self.pending));
                    self.pending.clear();
                    self.offset += std::mem::take(&mut self.pending_bytes);
                }
                None => self.hold(piece),
            }
        }
        lines
    }

    /// Keeps a piece of a line that goes on; of a huge one only its ends, since no more is shown.
    fn hold(&mut self, piece: &str) {
        self.pending.push_str(piece);
        if self.pending.len() > LONGEST_PENDING {
            let (head, tail) = ansi::ends(&self.pending, LONGEST_PENDING / 4, LONGEST_PENDING / 4);
            self.pending.replace_range(head..tail, "");
        }
    }

    /// The line that is not complete yet, as far as it is known.
    pub fn pending(&self) -> Option<LogLine> {
        (!self.pending.is_empty()).then(|| LogLine::parse(&self.pending))
    }

    /// Offset in bytes from which on nothing was answered as complete: where to go on later.
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

/// The end of a log as a page shows it first.
#[derive(Debug)]
pub struct LogEnd {
    /// Complete lines.
    pub shown: LogLines,
    /// Goes on where they end.
    pub reader: LineReader,
}

impl LogEnd {
    /// Reads it. Blocks.
    pub fn read(logs: &Logs, id: DeploymentId) -> io::Result<Self> {
        let start = logs.tail_offset(id, SHOWN_BYTES)?;
        let mut reader = LineReader::at(start);
        let (mut lines, mut offset) = (Vec::new(), start);
        while let Some(chunk) = logs.read(id, offset)? {
            offset = chunk.end;
            lines.extend(reader.push(&chunk.text));
            if offset > start + 2 * SHOWN_BYTES {
                break; // It grows as fast as it is read; the stream brings the rest.
            }
        }
        let left_out = lines.len().saturating_sub(SHOWN_LINES);
        lines.drain(..left_out);
        let is_cut = start > 0 || left_out > 0;
        Ok(Self {
            shown: LogLines { lines, is_cut },
            reader,
        })
    }

    /// All of it, also a last line that was never completed: nothing will follow.
    pub fn into_final(self) -> LogLines {
        let mut shown = self.shown;
        shown.lines.extend(self.reader.pending());
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &LogLine) -> String {
        match line {
            LogLine::Step(step) => format!("[{step}]"),
            LogLine::Text(spans) => spans.iter().map(|span| span.text.as_str()).collect(),
        }
    }

    fn texts(lines: &[LogLine]) -> Vec<String> {
        lines.iter().map(text).collect()
    }

    fn logs_with(content: &str) -> (tempfile::TempDir, Logs) {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::open(dir.path()).unwrap();
        logs.writer(DeploymentId(1), Box::new(|| ()))
            .unwrap()
            .text(content)
            .unwrap();
        (dir, logs)
    }

    #[test]
    fn lines_are_the_same_wherever_chunks_end() {
        let log = "==> fetch\nFetching\n\n==> magic\r\n==> build\np 1\rp 2\nlast";
        let expected = ["[fetch]", "Fetching", "", "==> magic", "[build]", "p 2"];
        for cut in 0..=log.len() {
            let mut reader = LineReader::at(100);
            let mut lines = reader.push(&log[..cut]);
            lines.extend(reader.push(&log[cut..]));
            assert_eq!(texts(&lines), expected, "cut at {cut}");
            assert_eq!(reader.pending().as_ref().map(text).as_deref(), Some("last"));
            assert_eq!(
                reader.offset(),
                100 + log.len() as u64 - 4,
                "where the growing line begins"
            );
        }
    }

    #[test]
    fn a_line_without_end_costs_little_and_its_end_is_not_lost() {
        let mut reader = LineReader::at(0);
        for _ in 0..100 {
            assert!(reader.push(&"x".repeat(64 * 1024)).is_empty());
            assert!(reader.pending.len() <= 2 * LONGEST_PENDING);
        }
        let lines = reader.push("END\nnext");
        assert!(texts(&lines)[0].ends_with("xEND"));
        assert_eq!(reader.offset(), 100 * 64 * 1024 + 4);
    }

    #[test]
    fn the_first_view_is_bounded_in_lines_and_in_bytes() {
        let numbers: String = (1..=100_000).map(|number| format!("{number}\n")).collect();
        let (_dir, logs) = logs_with(&numbers);
        let end = LogEnd::read(&logs, DeploymentId(1)).unwrap();
        assert_eq!(end.reader.offset(), numbers.len() as u64);
        let shown = end.into_final();
        assert!(shown.is_cut);
        assert_eq!(shown.lines.len(), SHOWN_LINES);
        assert_eq!(text(&shown.lines[0]), "99001");

        let (_dir, logs) = logs_with(&format!("first\n{}END\nlast", "x".repeat(1_000_000)));
        let end = LogEnd::read(&logs, DeploymentId(1)).unwrap();
        assert_eq!(end.reader.offset(), 1_000_010);
        let shown = end.into_final();
        assert!(shown.is_cut && texts(&shown.lines).iter().map(String::len).sum::<usize>() < 10_000);
        assert_eq!(texts(&shown.lines).last().unwrap(), "last");
    }

    #[test]
    fn a_log_that_does_not_exist_yet_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let end = LogEnd::read(&Logs::open(dir.path()).unwrap(), DeploymentId(1)).unwrap();
        assert_eq!(end.reader.offset(), 0);
        assert_eq!(end.into_final().to_string(), "");
    }

    #[test]
    fn what_was_printed_is_text_in_the_markup() {
        let log =
            "==> build\n\u{1b}[31mred\u{1b}[0m <script>alert(1)</script>\n\nevent: forged\r\n==> <b>\nit failed\n";
        let lines = LineReader::at(0).push(log);
        let markup = LogLines { lines, is_cut: false }.to_string();
        assert_eq!(
            markup,
            "<span class=\"log-step\">build</span>\
             <span class=\"log-line\"><span class=\"ansi-red\">red</span> &#60;script&#62;alert(1)&#60;/script&#62;</span>\
             <span class=\"log-line\"></span>\
             <span class=\"log-line\">event: forged</span>\
             <span class=\"log-line\">==&#62; &#60;b&#62;</span>\
             <span class=\"log-line\">it failed</span>"
        );
    }
}
