//! What every vault must do.

use std::path::Path;

use xunjian::audit::sha256;
use xunjian::store::{StoreError, Vault};

pub async fn bytes_come_back_under_their_hash(vault: &impl Vault) {
    let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let name = vault.put(&bytes).await.unwrap();
    assert_eq!(name, sha256(&bytes));
    assert_eq!(vault.put(&bytes).await.unwrap(), name, "put twice");
    assert_eq!(vault.size(&name).await.unwrap(), Some(bytes.len() as u64));
    assert_eq!(vault.get(&name).await.unwrap(), bytes);
    assert_eq!(vault.range(&name, 10, 7).await.unwrap(), bytes[10..17]);
    let end = bytes.len() as u64;
    assert_eq!(vault.range(&name, end - 3, 99).await.unwrap(), bytes[bytes.len() - 3..]);
    assert!(vault.range(&name, end + 5, 9).await.unwrap().is_empty());
    assert_eq!(std::fs::read(vault.local(&name).await.unwrap()).unwrap(), bytes);
    vault.verify(&name).await.unwrap();
    let empty = vault.put(b"").await.unwrap();
    assert_eq!(vault.size(&empty).await.unwrap(), Some(0));
}

pub async fn files_are_taken_over(vault: &impl Vault, folder: &Path) {
    let name = sha256(b"a package");
    for round in 0..2 {
        let file = folder.join(format!("download {round}"));
        std::fs::write(&file, b"a package").unwrap();
        vault.adopt(&file, &name).await.unwrap();
        assert!(!file.exists(), "moved, or not needed");
        assert_eq!(vault.get(&name).await.unwrap(), b"a package");
    }
}

pub async fn what_is_not_there_or_no_hash_is_told(vault: &impl Vault) {
    let absent = sha256(b"never put");
    assert_eq!(vault.size(&absent).await.unwrap(), None);
    assert!(vault.get(&absent).await.is_err());
    for hostile in ["", "../../../../etc/passwd", "ABCDEF", &"a".repeat(63), &"A".repeat(64), &"g".repeat(64)] {
        assert!(matches!(vault.size(hostile).await, Err(StoreError::Name(_))), "{hostile}");
        assert!(matches!(vault.local(hostile).await, Err(StoreError::Name(_))), "{hostile}");
        assert!(matches!(vault.verify(hostile).await, Err(StoreError::Name(_))), "{hostile}");
    }
}

/// `change` puts other bytes under a name, behind the vault's back.
pub async fn changed_bytes_are_named(vault: &impl Vault, change: impl Fn(&str)) {
    let name = vault.put(b"evidence").await.unwrap();
    change(&name);
    assert!(matches!(vault.verify(&name).await, Err(StoreError::Damaged(found, _)) if found == name));
}

pub async fn what_was_not_put_for_long_can_be_removed(vault: &impl Vault) {
    let name = vault.put(b"an old page").await.unwrap();
    let listed = async || vault.list(&name[..2]).await.unwrap().into_iter().find(|blob| blob.sha256 == name);
    let blob = listed().await.unwrap();
    assert_eq!(blob.bytes, 11);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!((now - 60_000..=now + 2_000).contains(&blob.put_at), "{} {now}", blob.put_at);
    assert!(!vault.remove(&name, now - 3_600_000).await.unwrap(), "put since");
    assert!(vault.remove(&name, now + 3_600_000).await.unwrap());
    assert_eq!((vault.size(&name).await.unwrap(), listed().await), (None, None));
    assert!(!vault.remove(&name, i64::MAX).await.unwrap(), "it is not there any more");
    assert_eq!(vault.put(b"an old page").await.unwrap(), name);
    assert_eq!(vault.get(&name).await.unwrap(), b"an old page");
    for hostile in ["..", "", "a", "AB", "abc", "/a"] {
        assert!(matches!(vault.list(hostile).await, Err(StoreError::Name(_))), "{hostile}");
    }
    assert!(matches!(vault.remove("../x", 0).await, Err(StoreError::Name(_))));
}

pub async fn many_writers_of_the_same_bytes_agree(vault: &(impl Vault + Clone + 'static)) {
    let writers: Vec<_> = (0..16)
        .map(|n| {
            let vault = vault.clone();
            tokio::spawn(async move { vault.put(&vec![n % 2; 1 << 16]).await.unwrap() })
        })
        .collect();
    for writer in writers {
        vault.verify(&writer.await.unwrap()).await.unwrap();
    }
}
