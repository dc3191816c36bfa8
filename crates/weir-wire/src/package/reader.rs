use std::io::{Read, Seek};

use weir_model::ids::UpdateIdentity;

use super::{Package, PackageError};

/// Bounds of what a reader accepts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Plain bytes of `package.xml`.
    pub package_xml: u64,
    /// Plain bytes of `metadata.txt`.
    pub metadata: u64,
    /// Bytes of one document.
    pub document: u64,
    /// Revisions.
    pub updates: usize,
}

impl Default for Limits {
    /// 256 MiB, 2 GiB (a cabinet holds no more), 128 MiB (the largest known document has about 60) and 1,000,000.
    fn default() -> Self {
        Self { package_xml: 256 << 20, metadata: 2 << 30, document: 128 << 20, updates: 1_000_000 }
    }
}

/// An open package: frame and `package.xml` are checked.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    package: Package,
}

impl<R: Read + Seek> Reader<R> {
    /// Opens a package.
    pub fn open(source: R, limits: &Limits) -> Result<Self, PackageError> {
        let _ = (source, limits);
        unimplemented!()
    }

    /// `package.xml`.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Starts to read `metadata.txt`; may be called again to start over.
    pub fn records(&mut self) -> Result<Records<'_, R>, PackageError> {
        let _ = &mut self.source;
        unimplemented!()
    }
}

/// The records of `metadata.txt`, in its order. Stops after the first error. The end (`None`) comes only after both members
/// were found to name the same revisions.
#[derive(Debug)]
pub struct Records<'a, R> {
    source: &'a mut R,
}

impl<R: Read + Seek> Iterator for Records<'_, R> {
    type Item = Result<Record, PackageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = &mut self.source;
        unimplemented!()
    }
}

/// One record: an update document with the identity of its header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// Position in `metadata.txt`, from 1.
    pub number: u64,
    /// Identity in the record's header.
    pub identity: UpdateIdentity,
    /// The document, byte for byte.
    pub text: String,
}

impl Record {
    /// Compares the identity that was found in the document with that of the header.
    pub fn check(&self, inner: UpdateIdentity) -> Result<(), PackageError> {
        let _ = inner;
        unimplemented!()
    }

    /// Turns what a document parser complained about into an error that names this record.
    pub fn invalid(&self, source: impl std::error::Error + Send + Sync + 'static) -> PackageError {
        PackageError::Document { record: self.number, identity: self.identity, source: Box::new(source) }
    }
}
