//! A disk that fails under a process that runs: strace stands between the process and its calls that change something.
//!
//! The process knows nothing of it, and what it has open stays open, as when a disk fails. When this is dropped the calls are the
//! system's own again, and what was held goes on.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// Calls that make durable what was written. A question mark leaves out what a processor does not have.
const FLUSHES: &str = "?fsync,?fdatasync";
/// Calls that change what is on a disk. `write` is not among them, since it is for sockets, too: what goes that way has to be
/// flushed before it counts. Of files that are named it is.
const CHANGES: &str = "?fsync,?fdatasync,?pwrite64,?pwritev,?pwritev2,?ftruncate,?fallocate,?rename,?renameat,?renameat2,\
                       ?mkdir,?mkdirat,?link,?linkat,?unlink,?unlinkat";
/// Calls that write to a file or a socket.
const WRITES: &str = "?write,?writev";
/// Longer than any test.
const HOURS: Duration = Duration::from_hours(2);

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DiskFault {
    /// Nothing can be changed: every such call ends with this error, such as `EIO` or `EROFS`. What is there can be read.
    Fails(&'static str),
    /// A flush that begins does not end while this lasts.
    Hangs,
    /// A flush takes so much longer.
    Slow(Duration),
}

/// A process whose disk has a fault, until this is dropped.
#[derive(Debug)]
pub struct FaultyDisk {
    tracer: Child,
    folder: TempDir,
}

impl FaultyDisk {
    /// Begins it for every file of a process, and returns when it holds for all of its threads.
    ///
    /// # Panics
    ///
    /// If strace is absent (`cargo xtask test` installs it) or may not look at the process.
    pub fn begin(process: u32, fault: DiskFault) -> Self {
        Self::of(process, &[], fault)
    }

    /// The same for these files alone, which exist. None stands for all.
    ///
    /// # Panics
    ///
    /// As [`FaultyDisk::begin`], and if a file is not there.
    pub fn of(process: u32, files: &[&Path], fault: DiskFault) -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder for what strace tells: {error}"));
        let (calls, what) = match fault {
            DiskFault::Fails(error) if files.is_empty() => (CHANGES.to_owned(), format!("error={error}")),
            DiskFault::Fails(error) => (format!("{CHANGES},{WRITES}"), format!("error={error}")),
            DiskFault::Hangs => (FLUSHES.to_owned(), format!("delay_enter={}", HOURS.as_micros())),
            DiskFault::Slow(by) => (FLUSHES.to_owned(), format!("delay_exit={}", by.as_micros())),
        };
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &process.to_string(), "-e", "signal=none", "-o"]).arg(folder.path().join("calls"));
        for file in files {
            // calls are told from each other by where their files really are
            let path = file.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            command.arg("-P").arg(path);
        }
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{what}")]);
        let mut tracer = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("this test needs strace (`cargo xtask test` installs it): {error}"));
        let Some(errors) = tracer.stderr.take() else { panic!("strace tells nothing") };
        let mut lines = BufReader::new(errors).lines();
        let mut said = String::new();
        loop {
            let Some(Ok(line)) = lines.next() else {
                panic!("strace cannot look at process {process}, for which it needs to be root: {said}");
            };
            if line.contains("attached") {
                break;
            }
            said.push_str(&line);
            said.push('\n');
        }
        // it would end if nobody read of the threads that begin later
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { tracer, folder }
    }

    /// Ends it, and gives how many flushes began meanwhile.
    pub fn end(mut self) -> usize {
        self.stop();
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        // the second half of a call that took a while has another form
        calls.lines().filter(|line| line.contains("sync(")).count()
    }

    fn stop(&mut self) {
        // asked to end, it lets go of every thread at a place where nothing is lost
        let _ = Command::new("kill").args(["-TERM", &self.tracer.id().to_string()]).status();
        let _ = self.tracer.wait();
    }
}

impl Drop for FaultyDisk {
    fn drop(&mut self) {
        if let Ok(None) = self.tracer.try_wait() {
            self.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// A process that appends a line to its own log for each flush of a file, and what came of it.
    struct Writer {
        child: Child,
        folder: TempDir,
    }

    impl Writer {
        fn start() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let script = "while true; do if dd if=/dev/zero of=data bs=1 count=1 conv=notrunc,fsync 2> /dev/null; \
                          then echo good >> log; else echo bad >> log; fi; done";
            let child = Command::new("sh").args(["-c", script]).current_dir(folder.path()).spawn().expect("a shell");
            let writer = Self { child, folder };
            writer.wait_for(|log| log.contains("good"));
            writer
        }

        fn log(&self) -> String {
            let mut text = String::new();
            let opened = fs::File::open(self.folder.path().join("log"));
            let _ = opened.and_then(|mut file| file.read_to_string(&mut text));
            text
        }

        fn wait_for(&self, is_it: impl Fn(&str) -> bool) {
            for _ in 0..30_000 {
                if is_it(&self.log()) {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            panic!("the log is {}", self.log());
        }

        /// Lines of the log, once they do not become more.
        fn resting(&self) -> usize {
            for _ in 0..60 {
                let lines = self.log().lines().count();
                thread::sleep(Duration::from_millis(500));
                if self.log().lines().count() == lines {
                    return lines;
                }
            }
            panic!("it goes on: {}", self.log());
        }
    }

    impl Drop for Writer {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[test]
    fn a_fault_begins_and_ends_while_the_process_runs() {
        let writer = Writer::start();
        let disk = FaultyDisk::begin(writer.child.id(), DiskFault::Fails("EIO"));
        writer.wait_for(|log| log.lines().last() == Some("bad"));
        assert!(disk.end() > 0);
        writer.wait_for(|log| log.lines().last() == Some("good"));

        let disk = FaultyDisk::begin(writer.child.id(), DiskFault::Hangs);
        let held = writer.resting();
        assert!(disk.end() <= 1, "no second flush begins");
        writer.wait_for(|log| log.lines().count() > held);

        let other = writer.folder.path().join("other");
        fs::write(&other, b"").expect("a file");
        let disk = FaultyDisk::of(writer.child.id(), &[&other], DiskFault::Fails("EROFS"));
        let before = writer.log().lines().count();
        writer.wait_for(|log| log.lines().count() > before + 3);
        assert!(writer.log().lines().skip(before).all(|line| line == "good"), "{}", writer.log());
        drop(disk);
    }
}
