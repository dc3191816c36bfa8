//! A loopback server on a thread of its own, so that tests with and without a runtime can use it.

use std::{
    net::{SocketAddr, TcpListener as StdListener},
    thread::JoinHandle,
};

use tokio::{net::TcpStream, sync::oneshot};

/// A running server; it ends, with all its connections, when it is dropped.
#[derive(Debug)]
pub(crate) struct Loopback {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Listens on a free port and gives every connection to `serve`.
    pub(crate) fn start<F>(name: &str, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = StdListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("no loopback port: {error}"));
        let address = listener.local_addr().unwrap_or_else(|error| panic!("no address: {error}"));
        listener.set_nonblocking(true).unwrap_or_else(|error| panic!("a blocking listener: {error}"));
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap_or_else(|error| panic!("no runtime: {error}"));
            runtime.block_on(async move {
                let listener =
                    tokio::net::TcpListener::from_std(listener).unwrap_or_else(|error| panic!("no listener: {error}"));
                let accept = async {
                    loop {
                        if let Ok((stream, _)) = listener.accept().await {
                            let _ = stream.set_nodelay(true);
                            tokio::spawn(serve(stream));
                        }
                    }
                };
                tokio::select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .unwrap_or_else(|error| panic!("no thread: {error}"));
        Self { address, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
