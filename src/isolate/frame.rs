//! What parent and child say to each other: frames of a length and bytes over a socket, a
//! file handed along with the first byte of one.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::audit::Identity;

/// Bytes of a frame of words at most.
pub(super) const WORDS_MAX: usize = 1 << 20;
/// Bytes of a reading at most: what was seen, not the facts.
pub(super) const READING_MAX: usize = 256 << 20;
/// Bytes of facts, compressed, at most.
pub(super) const FACTS_MAX: usize = 1 << 30;

/// The first frame to a child: what it is to be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Setup {
    /// The signatures, by path; `None` for those of the program itself, or where it reads nothing.
    pub(super) files: Option<std::collections::BTreeMap<String, String>>,
    /// It loads a pack; else it only says what holds it in.
    pub(super) loads: bool,
    /// Bytes of memory that it may take.
    pub(super) memory: u64,
}

/// What holds a child in, as far as its system has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Guards {
    /// The system ends it when it takes more memory than it may.
    pub(super) memory: bool,
    /// The system ends it when it takes more processor time than it may.
    pub(super) processor: bool,
    /// It may open only few files.
    pub(super) descriptors: bool,
    /// It can open no file of any name: by Landlock.
    pub(super) landlock: bool,
    /// It can open no file, reach no network and start no program: by seccomp.
    pub(super) seccomp: bool,
}

impl Guards {
    /// Each by its name.
    pub(super) const fn named(self) -> [(&'static str, bool); 5] {
        [
            ("memory", self.memory),
            ("processor", self.processor),
            ("descriptors", self.descriptors),
            ("landlock", self.landlock),
            ("seccomp", self.seccomp),
        ]
    }
}

/// The answer to the setup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// SHA-256 of the pack that was loaded.
    pub(super) pack: String,
    pub(super) guards: Guards,
}

/// What a child is asked to do with the file that comes along.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) task: Task,
    /// Path as given.
    pub(super) name: String,
    pub(super) sha256: String,
    /// The app that is wanted of an archive of several.
    pub(super) wanted: Option<String>,
    /// Milliseconds that it may take.
    pub(super) milliseconds: u64,
    /// Threads that it may use.
    pub(super) threads: usize,
    /// Pictures of the package that are read, at most.
    pub(super) pictures: usize,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    /// Only who the app is.
    Identify,
    /// All of it is read.
    Read,
    /// All of it is read, and the facts are kept.
    Keep,
    /// It is a picture that a store shows; the words in it are read, and the facts are kept.
    Picture,
}

/// The answer to a request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// Who the app is.
    Identity(Option<Identity>),
    /// It is no package, and why.
    Unread(String),
    /// A reader failed.
    Panicked,
    /// A frame with the reading follows, and one with its facts where they were kept.
    Reading,
}

/// Sends bytes as one frame.
pub(super) fn send(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(&length_of(bytes)?)?;
    stream.write_all(bytes)
}

/// Sends a value as one frame.
pub(super) fn say(stream: &mut UnixStream, value: &impl Serialize) -> io::Result<()> {
    send(stream, &serde_json::to_vec(value)?)
}

/// Sends a value as one frame and hands a file along.
pub(super) fn hand(stream: &mut UnixStream, value: &impl Serialize, file: &File) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    let length = length_of(&bytes)?;
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("no room for a file"));
    }
    let sent = rustix::net::sendmsg(&stream, &[IoSlice::new(&length)], &mut control, SendFlags::NOSIGNAL)?;
    stream.write_all(&length[sent..])?;
    stream.write_all(&bytes)
}

fn length_of(bytes: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(bytes.len()).map(u32::to_le_bytes).map_err(io::Error::other)
}

/// Receives a frame of at most `most` bytes.
pub(super) fn receive(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    rest(stream, length, most)
}

/// Receives a value of at most [`WORDS_MAX`] bytes.
pub(super) fn hear<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<T> {
    Ok(serde_json::from_slice(&receive(stream, WORDS_MAX)?)?)
}

/// Receives a value and the file that comes along with it; `None` where the other side is gone.
pub(super) fn take<T: DeserializeOwned>(stream: &mut UnixStream) -> io::Result<Option<(T, OwnedFd)>> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let got =
        rustix::net::recvmsg(&stream, &mut [IoSliceMut::new(&mut length)], &mut control, RecvFlags::CMSG_CLOEXEC)?
            .bytes;
    if got == 0 {
        return Ok(None);
    }
    let mut files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let file = files.next().and_then(|mut files| files.next());
    stream.read_exact(&mut length[got..])?;
    let value = serde_json::from_slice(&rest(stream, length, WORDS_MAX)?)?;
    let file = file.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no file came along"))?;
    Ok(Some((value, file)))
}

fn rest(stream: &mut impl Read, length: [u8; 4], most: usize) -> io::Result<Vec<u8>> {
    let length = u32::from_le_bytes(length) as usize;
    if length > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame longer than any"));
    }
    // Room is made as bytes come, not as they are announced.
    let mut bytes = Vec::new();
    stream.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}
