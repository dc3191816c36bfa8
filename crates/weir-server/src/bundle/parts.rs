//! Writing sections into parts of bounded size.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use sha2::{Digest as _, Sha256};
use weir_api::export::ExportFile;
use weir_wire::bundle::{BundleError, FRAME, MOST_PARTS, Part, PartWriter, Section};

use crate::{
    admin::AdminError,
    export::{Stopped, Work, package::hex},
};

/// Writes bytes and remembers their digest.
pub(super) struct Hashed<W> {
    sink: W,
    hash: Sha256,
}

impl<W> Hashed<W> {
    pub(super) fn new(sink: W) -> Self {
        Self { sink, hash: Sha256::new() }
    }

    /// The sink and the digest as lower-case hexadecimal.
    pub(super) fn finish(self) -> (W, String) {
        (self.sink, hex(&self.hash.finalize()))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Bytes that are not worth a frame at the end of a part.
const LITTLE: u64 = 64 << 10;

type Open = PartWriter<Hashed<BufWriter<File>>>;

/// The parts of a bundle under way.
pub(super) struct Parts<'w> {
    work: &'w Work,
    largest: u64,
    open: Option<Open>,
    done: Vec<Part>,
    sections: Vec<Section>,
    /// Bytes of the last section that are not in a frame yet.
    waiting: Vec<u8>,
    compress: bool,
}

pub(super) fn failed(error: BundleError) -> Stopped {
    match error {
        BundleError::Io(error) => Stopped::Io(error),
        error => Stopped::Failed(AdminError::Internal(crate::admin::chain(&error))),
    }
}

impl<'w> Parts<'w> {
    /// Parts of at most so many bytes.
    pub(super) fn new(work: &'w Work, largest: u64) -> Self {
        let waiting = Vec::with_capacity(FRAME);
        Self { work, largest, open: None, done: Vec::new(), sections: Vec::new(), waiting, compress: true }
    }

    /// Begins the next section; `compress` says that trying is worthwhile.
    pub(super) fn section(&mut self, kind: &str, compress: bool) -> Result<(), Stopped> {
        self.flush()?;
        self.compress = compress;
        self.sections.push(Section { kind: kind.to_owned(), version: 1, records: 0, bytes: 0 });
        Ok(())
    }

    /// Appends bytes to the section.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Stopped> {
        if let Some(section) = self.sections.last_mut() {
            section.bytes += bytes.len() as u64;
        }
        while !bytes.is_empty() {
            let room = FRAME - self.waiting.len();
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == FRAME {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Counts a record of the section.
    pub(super) fn counted(&mut self) {
        if let Some(section) = self.sections.last_mut() {
            section.records += 1;
        }
    }

    /// Ends the last part, and gives sections and parts for the manifest.
    pub(super) fn finish(mut self) -> Result<(Vec<Section>, Vec<Part>), Stopped> {
        self.flush()?;
        self.close()?;
        Ok((self.sections, self.done))
    }

    /// Writes what waits. A frame is cut where the part is full, unless little room is left.
    fn flush(&mut self) -> Result<(), Stopped> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        while !rest.is_empty() {
            self.work.go_on()?;
            let room = self.open.as_ref().map_or(u64::MAX, |open| self.largest.saturating_sub(open.size()));
            let fits = room.saturating_sub(Open::frame_size(0));
            if fits < (rest.len() as u64).min(LITTLE) {
                self.close()?;
                continue;
            }
            let now = rest.len().min(usize::try_from(fits).unwrap_or(usize::MAX));
            let (frame, later) = rest.split_at_checked(now).unwrap_or((rest, &[]));
            self.frame(frame)?;
            rest = later;
        }
        self.waiting = waiting;
        self.waiting.clear();
        Ok(())
    }

    fn frame(&mut self, plain: &[u8]) -> Result<(), Stopped> {
        if self.open.is_none() {
            let number = self.done.len() as u32 + 1;
            if number as usize > MOST_PARTS {
                return Err(Stopped::Failed(AdminError::Invalid {
                    code: "part_size",
                    detail: format!("the bundle would have more than {MOST_PARTS} parts"),
                    next_step: Some("choose larger parts: --part-size".to_owned()),
                }));
            }
            let file = File::create_new(self.work.path(&number.to_string())).map_err(Stopped::Io)?;
            let sink = Hashed::new(BufWriter::with_capacity(1 << 18, file));
            self.open = Some(PartWriter::new(sink, number).map_err(failed)?);
        }
        let section = self.sections.len().saturating_sub(1) as u16;
        match &mut self.open {
            Some(open) => open.frame(section, plain, self.compress).map_err(failed),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(), Stopped> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let size = open.size();
        let mut sink = open.finish().map_err(failed)?;
        sink.flush().map_err(Stopped::Io)?;
        let (_, sha256) = sink.finish();
        self.done.push(Part { size, sha256: sha256.clone() });
        self.work.offer(ExportFile { name: self.done.len().to_string(), size, sha256 });
        self.work.wait_for_room()
    }
}
