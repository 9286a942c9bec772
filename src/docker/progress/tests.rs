use super::*;

/// Feeds reports and collects lines, with a clock that the test moves.
struct Feed {
    progress: Progress,
    now: Instant,
}

impl Feed {
    fn new() -> Feed {
        Feed {
            progress: Progress::default(),
            now: Instant::now(),
        }
    }

    fn vertex(&mut self, vertex: Vertex) -> Vec<String> {
        self.progress.report(
            StatusResponse {
                vertexes: vec![vertex],
                ..Default::default()
            },
            self.now,
        );
        self.progress.take_lines()
    }

    fn begin(&mut self, digest: &str, name: &str) -> Vec<String> {
        self.vertex(begun(digest, name))
    }

    fn output(&mut self, digest: &str, text: &str) -> Vec<String> {
        let log = VertexLog {
            vertex: digest.to_owned(),
            msg: text.as_bytes().to_vec(),
            ..Default::default()
        };
        self.progress.report(
            StatusResponse {
                logs: vec![log],
                ..Default::default()
            },
            self.now,
        );
        self.progress.take_lines()
    }

    fn wait(&mut self, milliseconds: u64) -> Vec<String> {
        self.now += Duration::from_millis(milliseconds);
        self.progress.tick(self.now);
        self.progress.take_lines()
    }
}

fn begun(digest: &str, name: &str) -> Vertex {
    let started = Some(Default::default());
    Vertex {
        digest: digest.to_owned(),
        name: name.to_owned(),
        started,
        ..Default::default()
    }
}

fn ended(digest: &str, name: &str, tenths: i64) -> Vertex {
    let mut vertex = begun(digest, name);
    let mut completed = vertex.started.unwrap_or_default();
    completed.seconds += tenths / 10;
    completed.nanos += i32::try_from(tenths % 10).unwrap() * 100_000_000;
    vertex.completed = Some(completed);
    vertex
}

#[test]
fn a_step_is_named_once_and_ends_with_its_duration() {
    let mut feed = Feed::new();
    assert_eq!(feed.begin("a", "[2/3] RUN make"), ["[2/3] RUN make"]);
    assert!(feed.begin("a", "[2/3] RUN make").is_empty());
    assert_eq!(feed.output("a", "one\ntwo\n"), ["one", "two"]);
    assert_eq!(
        feed.vertex(ended("a", "[2/3] RUN make", 123)),
        ["[2/3]: done in 12.3 s"]
    );
    assert!(feed.vertex(ended("a", "[2/3] RUN make", 123)).is_empty());
    assert_eq!(feed.vertex(ended("c", "[3/3] COPY . .", 0)), ["[3/3] COPY . ."]);
    let failed = Vertex {
        error: "exit code: 3".to_owned(),
        ..ended("b", "[3/3] RUN false", 4)
    };
    assert_eq!(feed.vertex(failed), ["[3/3] RUN false", "[3/3]: failed after 0.4 s"]);
}

#[test]
fn cached_steps_say_so_and_waiting_ones_say_nothing() {
    let mut feed = Feed::new();
    let waiting = Vertex {
        started: None,
        ..begun("a", "[1/2] FROM x")
    };
    assert!(feed.vertex(waiting).is_empty());
    let cached = Vertex {
        cached: true,
        ..ended("a", "[1/2] FROM x", 0)
    };
    assert_eq!(feed.vertex(cached), ["[1/2] FROM x (cached)"]);
    assert!(feed.vertex(ended("u", "copy /context /", 1)).is_empty());
    let heredoc = feed.begin("h", "[2/2] RUN <<EOF (echo hi...)\nmore\n");
    assert_eq!(heredoc, ["[2/2] RUN <<EOF (echo hi...) …"]);
}

#[test]
fn output_of_steps_side_by_side_is_told_apart() {
    let mut feed = Feed::new();
    feed.begin("a", "[one 2/2] RUN a");
    feed.begin("b", "[two 2/2] RUN b");
    assert_eq!(feed.output("a", "from a\n"), ["[one 2/2] RUN a (continued)", "from a"]);
    assert_eq!(feed.output("a", "more\n"), ["more"]);
    assert_eq!(feed.output("b", "from b\n"), ["[two 2/2] RUN b (continued)", "from b"]);
}

#[test]
fn pieces_are_joined_to_lines() {
    let mut feed = Feed::new();
    feed.begin("a", "RUN x");
    assert!(feed.output("a", "hal").is_empty());
    assert!(feed.wait(400).is_empty());
    assert_eq!(feed.output("a", "f\n\nnext\r\n"), ["half", "", "next"]);
    let smile = "☺".as_bytes();
    for part in [&smile[..1], &smile[1..]] {
        let log = VertexLog {
            vertex: "a".to_owned(),
            msg: part.to_vec(),
            ..Default::default()
        };
        feed.progress.report(
            StatusResponse {
                logs: vec![log],
                ..Default::default()
            },
            feed.now,
        );
    }
    assert_eq!(
        feed.vertex(ended("a", "RUN x", 0))[0],
        "☺",
        "shown at the latest when the step ends"
    );
}

#[test]
fn a_line_that_redraws_itself_shows_its_last_state_each_second() {
    let mut feed = Feed::new();
    feed.begin("a", "RUN x");
    assert!(feed.output("a", "p 10%\rp 50%\r").is_empty());
    assert_eq!(feed.wait(1000), ["p 50%"]);
    assert!(feed.output("a", "p 60%\rp 70%").is_empty());
    assert!(feed.wait(900).is_empty());
    assert_eq!(feed.wait(100), ["p 70%"]);
    assert!(feed.output("a", "\n").is_empty(), "the end of a line that was shown");
    assert_eq!(feed.output("a", "\n"), [""]);
}

#[test]
fn overlong_lines_are_cut_with_a_mark() {
    let mut feed = Feed::new();
    feed.begin("a", "RUN x");
    for _ in 0..10 {
        assert!(feed.output("a", &"x".repeat(16 * 1024)).is_empty());
    }
    let lines = feed.output("a", "\nEND\n");
    assert_eq!(
        lines[0].len(),
        LONGEST_LINE + " … (98304 bytes of this line left out)".len()
    );
    assert!(lines[0].ends_with(" … (98304 bytes of this line left out)"));
    assert_eq!(lines[1], "END");
}

#[test]
fn clipped_output_is_explained() {
    let mut feed = Feed::new();
    feed.begin("a", "RUN x");
    let lines = feed.output("a", "[output clipped, log limit 200KiB/s reached]\n");
    assert!(
        lines[1].starts_with("Note: ") && lines[1].contains("BuildKit"),
        "{lines:?}"
    );
}
