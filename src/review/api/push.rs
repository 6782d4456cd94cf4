//! Room for messages that are read whole before it is known who sent them: their signature is over
//! all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::feed::BYTES_MAX;
use crate::review::failure::Failure;

/// Bytes counted as one.
const UNIT: u64 = 1 << 20;
/// Units in all: three messages of the longest.
const UNITS: usize = 3 * (BYTES_MAX >> 20);
/// Messages of one address at once.
const EACH: u32 = 2;

/// Messages that are being read.
pub(in crate::review) struct Pushes {
    room: Arc<Semaphore>,
    addresses: Arc<Mutex<HashMap<IpAddr, u32>>>,
    /// Lists are taken one after the other.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Default for Pushes {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(UNITS)), addresses: Arc::default(), turn: tokio::sync::Mutex::default() }
    }
}

/// Room for one message, until it is dropped.
pub(super) struct Room {
    address: IpAddr,
    addresses: Arc<Mutex<HashMap<IpAddr, u32>>>,
    _units: OwnedSemaphorePermit,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

impl Pushes {
    /// Room for a message of `told` bytes, or of the longest where it does not say.
    pub(super) fn room(&self, address: IpAddr, told: Option<u64>) -> Result<Room, Failure> {
        let units = told.unwrap_or(BYTES_MAX as u64).div_ceil(UNIT).max(1);
        let units = u32::try_from(units).map_err(|_| Failure::TooLarge)?;
        let permit = Arc::clone(&self.room).try_acquire_many_owned(units).map_err(|_| Failure::Crowded)?;
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(address).or_insert(0);
        if *count >= EACH {
            return Err(Failure::Crowded);
        }
        *count += 1;
        Ok(Room { address, addresses: Arc::clone(&self.addresses), _units: permit })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panic")]
mod tests {
    use super::*;

    #[test]
    fn few_are_read_at_once_and_fewer_of_one_address() {
        let pushes = Pushes::default();
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let first = pushes.room(address(1), None).unwrap();
        let _second = pushes.room(address(1), Some(0)).unwrap();
        assert!(pushes.room(address(1), Some(0)).is_err(), "two of one address");
        let _third = pushes.room(address(2), None).unwrap();
        assert!(pushes.room(address(3), None).is_err(), "no room for as much again");
        assert!(pushes.room(address(3), Some(1 << 20)).is_ok(), "but for less");
        drop(first);
        assert!(pushes.room(address(1), None).is_ok());
        assert!(pushes.room(address(4), Some(u64::MAX)).is_err());
    }
}
