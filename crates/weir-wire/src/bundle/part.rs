//! Parts: a head, frames, an end. All numbers are little-endian.

use std::io::{Read, Write};

use super::BundleError;

const MAGIC: &[u8; 8] = b"WEIRPART";
const VERSION: u16 = 1;
const HEAD: usize = 16;
const FRAME_HEAD: usize = 12;
/// The section number that ends a part.
const END: u16 = u16::MAX;
/// Most plain bytes of a frame.
pub const FRAME: usize = 1 << 20;
/// Most packed bytes of a frame: what does not compress is stored.
const PACKED: usize = FRAME;
const STORED: u8 = 0;
const ZSTD: u8 = 1;
const LEVEL: i32 = 3;

/// Writes one part as a stream.
pub struct PartWriter<W> {
    sink: W,
    written: u64,
    packed: Vec<u8>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl<W: Write> PartWriter<W> {
    /// Bytes of a part besides its frames.
    pub const OVERHEAD: u64 = (HEAD + FRAME_HEAD) as u64;

    /// Writes the head of part `number`, from 1 (0 is what stands alone).
    pub fn new(mut sink: W, number: u32) -> Result<Self, BundleError> {
        let mut head = Vec::with_capacity(HEAD);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&[0; 2]);
        head.extend_from_slice(&number.to_le_bytes());
        sink.write_all(&head).map_err(BundleError::Io)?;
        Ok(Self { sink, written: HEAD as u64, packed: Vec::new(), compressor: None })
    }

    /// Bytes so far, with the end that is still to come.
    pub fn size(&self) -> u64 {
        self.written + FRAME_HEAD as u64
    }

    /// Most bytes that a frame of so many plain bytes takes.
    pub fn frame_size(plain: usize) -> u64 {
        (FRAME_HEAD + plain) as u64
    }

    /// Writes a frame of at most [`FRAME`] bytes; `compress` says that trying is worthwhile.
    pub fn frame(&mut self, section: u16, plain: &[u8], compress: bool) -> Result<(), BundleError> {
        if plain.is_empty() || plain.len() > FRAME || section == END {
            return Err(BundleError::Limit { what: "bytes in one frame", limit: FRAME as u64 });
        }
        let packed = compress && self.pack(plain)?;
        let (coding, data) = if packed { (ZSTD, self.packed.as_slice()) } else { (STORED, plain) };
        self.sink.write_all(&frame_head(section, coding, plain.len(), data.len())).map_err(BundleError::Io)?;
        self.sink.write_all(data).map_err(BundleError::Io)?;
        self.written += (FRAME_HEAD + data.len()) as u64;
        Ok(())
    }

    /// Compresses into `packed`. False if that does not make it smaller.
    fn pack(&mut self, plain: &[u8]) -> Result<bool, BundleError> {
        let compressor = match &mut self.compressor {
            Some(compressor) => compressor,
            None => self.compressor.insert(zstd::bulk::Compressor::new(LEVEL).map_err(BundleError::Io)?),
        };
        self.packed.clear();
        self.packed.resize(zstd::zstd_safe::compress_bound(plain.len()), 0);
        let length = compressor.compress_to_buffer(plain, &mut self.packed).map_err(BundleError::Io)?;
        self.packed.truncate(length);
        Ok(length < plain.len())
    }

    /// Writes the end and gives the sink back.
    pub fn finish(mut self) -> Result<W, BundleError> {
        self.sink.write_all(&frame_head(END, STORED, 0, 0)).map_err(BundleError::Io)?;
        Ok(self.sink)
    }
}

impl<W> std::fmt::Debug for PartWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartWriter").field("written", &self.written).finish_non_exhaustive()
    }
}

fn frame_head(section: u16, coding: u8, plain: usize, packed: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(FRAME_HEAD);
    head.extend_from_slice(&section.to_le_bytes());
    head.extend_from_slice(&[coding, 0]);
    head.extend_from_slice(&(plain as u32).to_le_bytes());
    head.extend_from_slice(&(packed as u32).to_le_bytes());
    head
}

/// A frame that was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'f> {
    /// Index of its section in the manifest.
    pub section: u16,
    /// Its bytes.
    pub plain: &'f [u8],
}

/// Reads one part as a stream, within bounds.
pub struct PartReader<R> {
    source: R,
    number: u32,
    frames: u64,
    packed: Vec<u8>,
    plain: Vec<u8>,
    decompressor: Option<zstd::bulk::Decompressor<'static>>,
    ended: bool,
}

impl<R: Read> PartReader<R> {
    /// Reads the head, which must be that of part `number`.
    pub fn new(mut source: R, number: u32) -> Result<Self, BundleError> {
        let part = |reason: &str| BundleError::Part { part: number, reason: reason.to_owned() };
        let mut head = [0; HEAD];
        source.read_exact(&mut head).map_err(|error| end(error, || part("it is cut off")))?;
        let rest = head.strip_prefix(MAGIC).ok_or_else(|| part("it does not begin with WEIRPART"))?;
        match rest {
            [v0, v1, 0, 0, n0, n1, n2, n3] => {
                let version = u16::from_le_bytes([*v0, *v1]);
                if version != VERSION {
                    return Err(BundleError::Version { found: version.to_string(), wanted: u32::from(VERSION) });
                }
                let found = u32::from_le_bytes([*n0, *n1, *n2, *n3]);
                if found != number {
                    return Err(part(&format!("it is part {found}")));
                }
            }
            _ => return Err(part("its head is not understood")),
        }
        let (packed, plain) = (Vec::new(), Vec::new());
        Ok(Self { source, number, frames: 0, packed, plain, decompressor: None, ended: false })
    }

    /// Gives the source back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.source
    }

    fn damaged(&self, reason: impl Into<String>) -> BundleError {
        BundleError::Frame { part: self.number, frame: self.frames, reason: reason.into() }
    }

    /// The next frame; none at the end, after which nothing follows.
    pub fn frame(&mut self) -> Result<Option<Frame<'_>>, BundleError> {
        if self.ended {
            return Ok(None);
        }
        self.frames += 1;
        let mut head = [0; FRAME_HEAD];
        let cut = self.damaged("the part is cut off");
        self.source.read_exact(&mut head).map_err(|error| end(error, || cut))?;
        let [s0, s1, coding, zero, p0, p1, p2, p3, q0, q1, q2, q3] = head;
        let section = u16::from_le_bytes([s0, s1]);
        let plain = u32::from_le_bytes([p0, p1, p2, p3]) as usize;
        let packed = u32::from_le_bytes([q0, q1, q2, q3]) as usize;
        if section == END {
            if (coding, zero, plain, packed) != (STORED, 0, 0, 0) {
                return Err(self.damaged("its end is not understood"));
            }
            let mut more = [0];
            if self.source.read(&mut more).map_err(BundleError::Io)? != 0 {
                return Err(self.damaged("something follows the end"));
            }
            self.ended = true;
            return Ok(None);
        }
        if zero != 0 || plain == 0 || plain > FRAME || packed > PACKED {
            return Err(self.damaged("its head is not understood"));
        }
        self.packed.resize(packed, 0);
        let cut = self.damaged("the part is cut off");
        self.source.read_exact(&mut self.packed).map_err(|error| end(error, || cut))?;
        let bytes = match coding {
            STORED if packed == plain => &self.packed,
            ZSTD => {
                self.unpack(plain)?;
                &self.plain
            }
            _ => return Err(self.damaged("its coding is not understood")),
        };
        Ok(Some(Frame { section, plain: bytes }))
    }

    fn unpack(&mut self, length: usize) -> Result<(), BundleError> {
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            None => self.decompressor.insert(zstd::bulk::Decompressor::new().map_err(BundleError::Io)?),
        };
        self.plain.resize(length, 0);
        let unpacked = decompressor.decompress_to_buffer(&self.packed, &mut self.plain);
        match unpacked {
            Ok(written) if written == length => Ok(()),
            Ok(_) => Err(self.damaged("it is shorter than announced")),
            Err(_) => Err(self.damaged("it does not unpack")),
        }
    }
}

impl<R> std::fmt::Debug for PartReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { number, frames, .. } = self;
        f.debug_struct("PartReader").field("number", number).field("frames", frames).finish_non_exhaustive()
    }
}

fn end(error: std::io::Error, cut: impl FnOnce() -> BundleError) -> BundleError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof { cut() } else { BundleError::Io(error) }
}
