//! Waiting for an answer on any thread: one that belongs to an asynchronous runtime too, where the runtime's own way to block
//! would panic. What is waited for must need no runtime on this thread; answers of connections come from tasks elsewhere.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Wakes the thread that waits.
struct Sleeper {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

thread_local! {
    static SLEEPER: Arc<Sleeper> = Arc::new(Sleeper { thread: thread::current(), woken: AtomicBool::new(false) });
}

/// Blocks this thread until `future` is done.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let sleeper = SLEEPER.with(Arc::clone);
    let waker = Waker::from(Arc::clone(&sleeper));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
        // others may unpark this thread as well
        while !sleeper.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_answer_of_another_thread_is_waited_for() {
        let (give, take) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            give.send(7)
        });
        assert_eq!(wait(take), Ok(7));
        assert_eq!(thread.join().expect("no panic"), Ok(()));
        // one wait inside another, and a wake-up that nobody asked for
        thread::current().unpark();
        assert_eq!(wait(async { wait(async { 1 }) + 1 }), 2);
    }

    #[tokio::test]
    async fn an_answer_is_waited_for_inside_a_runtime() {
        assert_eq!(wait(std::future::ready(1)), 1);
    }
}
