//! `wasmlinux shell`: a person at a terminal.

mod common;

use common::pty::{fresh_settings, is_given_back, Terminal};
use common::wasmlinux;

fn shell() -> Terminal {
    let mut terminal = Terminal::start(wasmlinux(&["shell"]), 24, 80);
    terminal.wait_prompt();
    terminal
}

/// A command that surely runs and waits: it has answered. What is typed while
/// the shell still edits its line is not echoed, so `up` must be seen first.
fn run_cat(t: &mut Terminal) {
    t.send("echo up; cat\r");
    t.wait_line("up");
    t.send("ping\r");
    t.wait("echo and answer", |s| s.matches("ping").count() == 2);
}

#[test]
fn typing_and_line_editing() {
    let mut t = shell();
    t.send("echo one two\r");
    t.wait_line("one two");
    // Backspace, and the left arrow to insert before the end.
    t.send("echo fxx\x7f\x7fo\x1b[Do\r");
    t.wait_line("foo");
    // History.
    t.send("\x1b[A\x1b[A\r");
    t.wait("the second answer", |s| s.matches("one two").count() == 4);
    t.send("exit\r");
    assert_eq!(t.wait_exit().code(), Some(0));
}

#[test]
fn ctrl_c_interrupts() {
    let mut t = shell();
    run_cat(&mut t);
    t.send("\x03");
    t.wait_prompt();
    // The shell itself runs the loop; it gives up when the signal arrives.
    t.send("echo on; while :; do :; done\r");
    t.wait_line("on");
    t.send("\x03");
    t.wait_prompt();
    t.send("echo $?\r");
    t.wait_line("130");
}

#[test]
fn ctrl_d_and_exit_end_with_the_shells_code() {
    let mut t = shell();
    t.send("false\r");
    t.wait_prompt();
    t.send("\x04");
    assert_eq!(t.wait_exit().code(), Some(1));
    let mut t = shell();
    t.send("exit 42\r");
    assert_eq!(t.wait_exit().code(), Some(42));
}

#[test]
fn the_terminal_is_given_back() {
    is_given_back(|| wasmlinux(&["shell"]), &["exit\r", "poweroff\r", "\x04"]);
}

#[test]
fn a_signal_to_the_runner_gives_the_terminal_back() {
    let t = &mut shell();
    t.kill(libc::SIGTERM);
    assert_eq!(t.wait_exit().code(), Some(143));
    assert_eq!(t.settings(), fresh_settings());
}

#[test]
fn a_closed_window_ends_the_runner() {
    assert_eq!(shell().close().code(), Some(129));
}

#[test]
fn the_window_size_follows() {
    let mut t = shell();
    t.send("stty size\r");
    t.wait_line("24 80");
    t.resize(40, 100);
    t.send("while [ \"$(stty size)\" != '40 100' ]; do :; done; echo fol''lowed\r");
    t.wait_line("followed");
    t.send("sh -c 'trap \"echo got-it; exit\" WINCH; echo armed; while :; do sleep 0.1; done'\r");
    t.wait_line("armed");
    t.resize(30, 90);
    t.wait_line("got-it");
}

#[test]
fn job_control() {
    let mut t = shell();
    run_cat(&mut t);
    t.send("\x1a");
    t.wait("the stop", |s| s.contains("Stopped"));
    t.send("bg; jobs; kill %1; wait; echo done\r");
    t.wait_line("done");
}

/// Runs a job that says `up` itself, so that it surely is in the foreground.
fn run_job(t: &mut Terminal, job: &str) {
    t.send(&format!("clear; sh -c 'echo up; exec {job}'\r"));
    t.wait_line("up");
}

#[test]
fn a_stopped_job_goes_on_behind_and_in_front() {
    let mut t = shell();
    // Says itself whether it has the terminal: where it has not yet, Ctrl-Z is
    // the shell's, which ignores it.
    let job = "while read -r a b c d group f g tty h </proc/$$/stat; do \
        [ $group = $tty ] && is=front || is=behind; \
        [ \"$is\" = \"$was\" ] || echo $is; was=$is; done";
    t.send(&format!("clear; sh -c '{job}'\r"));
    t.wait_line("front");
    t.send("\x1a");
    t.wait("the stop", |s| s.contains("[1]+  Stopped"));
    t.wait_prompt();
    t.send("clear; bg; jobs\r");
    t.wait("it runs behind", |s| s.contains("[1]+  Running"));
    // It may be faster than the shell, or write behind its prompt.
    t.wait("behind", |s| s.lines().any(|l| matches!(l.trim_end(), "behind" | "~ # behind")));
    t.send("clear; fg\r");
    t.wait_line("front");
    t.send("\x1a");
    t.wait("the second stop", |s| s.contains("[1]+  Stopped"));
    t.send("clear; kill %1; fg; echo gone\r");
    t.wait_line("gone");
    t.send("clear; jobs; echo none\r");
    t.wait_line("none");
    assert!(!t.screen().contains("[1]"), "{}", t.screen());
}

#[test]
fn a_pipeline_behind_is_one_job() {
    let mut t = shell();
    t.send("sleep 100 | cat | cat &\r");
    t.wait_prompt();
    t.send("clear; jobs\r");
    t.wait("one job", |s| s.contains("[1]+  Running") && s.contains("sleep 100 | cat | cat"));
    t.send("clear; kill %1; wait; echo all; ps | grep -c '[s]leep 100'\r");
    t.wait("the end of all three", |s| s.contains("all\n0"));
    // A pipeline in front stops and goes on as one.
    run_job(&mut t, "sleep 100' | cat | sh -c 'cat");
    t.send("\x1a");
    t.wait("the stop", |s| s.contains("[1]+  Stopped"));
    t.send("clear; kill -9 %1; wait; echo killed\r");
    t.wait_line("killed");
}

#[test]
fn a_job_behind_may_not_use_the_terminal() {
    let mut t = shell();
    t.send("cat &\r");
    t.wait_prompt();
    // The shell tells of a change before a prompt; the change comes by itself.
    t.send("clear; until jobs | grep -q 'tty input'; do :; done; echo stopped\r");
    t.wait_line("stopped");
    t.send("clear; fg\r");
    t.wait_line("cat");
    t.send("ping\r");
    t.wait("echo and answer", |s| s.matches("ping").count() == 2);
    t.send("\x04");
    t.wait_prompt();
    t.send("clear; stty tostop; echo behind &\r");
    t.wait_prompt();
    t.send("clear; until jobs | grep -q 'tty output'; do :; done; echo stopped\r");
    t.wait_line("stopped");
    t.send("clear; fg; stty -tostop\r");
    t.wait_line("behind");
}

#[test]
fn the_prompt_comes_back_by_itself() {
    let mut t = shell();
    // Nothing is typed while these end: by a timer, by another process's
    // signal, by a loop's limit, by a child's end.
    for job in [
        "sleep 0.1",
        "sh -c '(sleep 0.1; kill $$) & exec sleep 100'",
        "timeout 0.2 sh -c 'while :; do :; done'",
        "sh -c 'sleep 0.1 & wait'",
        "sh -c 'kill -SEGV $$'",
    ] {
        t.send(&format!("clear; {job}\r"));
        t.wait("the prompt alone", |s| {
            s.trim_end().lines().last().is_some_and(|l| l.trim_end() == "~ #")
                && !s.contains("clear;")
        });
    }
}

#[test]
fn a_paste_of_many_lines_is_not_lost() {
    let mut t = shell();
    t.send("echo up; cat > /tmp/pasted\r");
    t.wait_line("up");
    for i in 0..2000 {
        t.send(&format!("line number {i}\r"));
    }
    t.send("\x04");
    t.wait_prompt();
    t.send("clear; wc -l < /tmp/pasted\r");
    t.wait_line("2000");
}

#[test]
fn vi_edits_a_file() {
    let mut t = shell();
    t.vi_new("/tmp/f", "hello from vi");
    t.vi_save("/tmp/f", "hello from vi\n");
}
