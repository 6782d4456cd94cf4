//! Every engine passes the suites that engines must pass.

use crate::support::services;

use crate::support::conformance::{desk, state, vault, work};
use xunjian::audit::{Auditor, sha256};
use xunjian::model::{Audit, Budget};
use xunjian::signature::{Pack, Source};
use xunjian::store::{Bucket, Database, Folder, Home, StoreError, Vault};

/// Every test of the suites of state and work, on one engine: each in a database of its own.
macro_rules! suites {
    ($open:expr $(, $ignore:literal)?) => {
        suites! { @each [$(#[ignore = $ignore])?] $open =>
            work::a_key_is_pushed_once;
            work::higher_priority_goes_first_then_the_first_pushed;
            work::the_first_queue_with_a_job_goes_first;
            work::a_crash_before_the_acknowledgement_loses_nothing;
            work::a_stale_lease_changes_nothing;
            work::a_job_that_always_fails_dies_with_its_reason;
            work::leases_of_the_dead_are_freed_and_queues_forgotten;
            work::the_dead_are_listed_and_come_back_while_their_run_goes_on;
            work::many_workers_do_every_key_once;
            state::a_run_is_continued_until_it_ends;
            state::versions_of_listings_are_kept;
            state::an_answer_that_repeats_is_counted;
            state::packages_and_facts_are_found_again;
            state::skips_are_counted_once;
            state::a_package_withheld_is_remembered_until_it_is_had;
            desk::people_sign_in_until_they_may_not;
            desk::wrong_passwords_are_counted;
            desk::of_many_tries_at_once_a_few_go_on;
            desk::an_account_elsewhere_is_one_person_and_stays_it;
            desk::who_asked_for_an_audit_is_known;
            desk::deeds_and_views_are_kept;
            desk::clients_use_the_api_until_they_may_not;
        }

        #[tokio::test(flavor = "multi_thread")]
        $(#[ignore = $ignore])?
        async fn findings_come_and_go() {
            let (database, _held) = $open.await;
            let found = audit_of("甲", "photosearch");
            let clean = Audit { findings: Vec::new(), ..audit_of("甲", "cleanedu") };
            state::findings_come_and_go(&database, &found, &clean).await;
            desk::decisions_move_apps_between_trays(&database).await;
        }
    };
    (@each $ignored:tt $open:expr => $($suite:ident::$test:ident;)*) => {
        $(suites! { @one $ignored $open => $suite::$test })*
    };
    (@one [$($ignored:tt)*] $open:expr => $suite:ident::$test:ident) => {
        #[tokio::test(flavor = "multi_thread")]
        $($ignored)*
        async fn $test() {
            let (database, _held) = $open.await;
            $suite::$test(&database).await;
        }
    };
}

mod sqlite {
    use super::*;

    async fn open() -> (Database, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        // A name that must be written in an address with care.
        let path = dir.path().join("state of 巡检 50%?#.sqlite");
        (Database::sqlite(&path).await.unwrap(), dir)
    }

    suites!(open());
}

mod postgres {
    use super::*;

    async fn open() -> (Database, services::Schema) {
        let schema = services::postgres().await;
        (Database::postgres(&schema.address).await.unwrap(), schema)
    }

    suites!(open(), "needs PostgreSQL");
}

mod nats {
    use super::*;

    async fn open() -> (Database, (services::Schema, services::Streams)) {
        let schema = services::postgres().await;
        let streams = services::nats(&schema.name).await;
        // No grace: the suites' clock is not the server's.
        let database = Database::nats(&schema.address, &streams.server, std::time::Duration::ZERO).await.unwrap();
        (database, (schema, streams))
    }

    suites!(open(), "needs PostgreSQL and NATS");
}

mod bucket {
    use super::*;

    async fn open() -> (Bucket, (std::sync::Arc<services::S3>, tempfile::TempDir)) {
        let s3 = services::s3().await;
        let dir = tempfile::tempdir().unwrap();
        let address = s3.bucket().await;
        (Bucket::open(&address, &dir.path().join("cache"), 1 << 20).unwrap(), (s3, dir))
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn bytes_come_back_under_their_hash() {
        let (bucket, _held) = open().await;
        vault::bytes_come_back_under_their_hash(&bucket).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn what_is_not_there_or_no_hash_is_told() {
        let (bucket, _held) = open().await;
        vault::what_is_not_there_or_no_hash_is_told(&bucket).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn what_was_not_put_for_long_can_be_removed() {
        let (bucket, _held) = open().await;
        vault::what_was_not_put_for_long_can_be_removed(&bucket).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn many_writers_of_the_same_bytes_agree() {
        let (bucket, _held) = open().await;
        vault::many_writers_of_the_same_bytes_agree(&bucket).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_are_taken_over() {
        let (bucket, (_s3, dir)) = open().await;
        vault::files_are_taken_over(&bucket, dir.path()).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn changed_bytes_are_named() {
        let s3 = services::s3().await;
        let (dir, address) = (tempfile::tempdir().unwrap(), s3.bucket().await);
        let bucket = Bucket::open(&address, &dir.path().join("cache"), 1 << 20).unwrap();
        let name = bucket.put(b"evidence").await.unwrap();
        s3.overwrite(&address, &name, b"Evidence").await;
        assert!(matches!(bucket.verify(&name).await, Err(StoreError::Damaged(found, _)) if found == name));
        assert!(matches!(bucket.local(&name).await, Err(StoreError::Damaged(found, _)) if found == name));
    }

    /// What an operator meets first: the address is right, the bucket was never made.
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn a_missing_bucket_is_said_once_with_what_to_do() {
        let s3 = services::s3().await;
        let (dir, address) = (tempfile::tempdir().unwrap(), s3.bucket().await);
        let address = address.replacen("s3://b-", "s3://never-made-", 1);
        let bucket = Bucket::open(&address, &dir.path().join("cache"), 1 << 20).unwrap();
        let told = format!("{:#}", anyhow::Error::from(bucket.put(b"evidence").await.unwrap_err()));
        assert!(told.contains("make it first"), "{told}");
        assert_eq!(told.matches("NoSuchBucket").count(), 1, "{told}");
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs moto_server"]
    async fn large_files_go_in_parts_and_copies_give_way() {
        let (bucket, (_s3, dir)) = open().await;
        let bytes: Vec<u8> = (0..5_000_000u32).flat_map(u32::to_le_bytes).collect();
        let name = sha256(&bytes);
        let file = dir.path().join("download");
        std::fs::write(&file, &bytes).unwrap();
        bucket.adopt(&file, &name).await.unwrap();
        assert!(!file.exists());
        bucket.verify(&name).await.unwrap();
        let first = bucket.local(&name).await.unwrap();
        assert_eq!(std::fs::read(&first).unwrap().len(), bytes.len());
        // The cache holds 1 MiB: the next copy takes the place of this one, which is fetched anew.
        let other = bucket.put(&vec![7; 600_000]).await.unwrap();
        bucket.local(&other).await.unwrap();
        assert!(!first.exists());
        assert_eq!(std::fs::read(bucket.local(&name).await.unwrap()).unwrap(), bytes);
    }
}

/// A test of the vault's suite: each on a home of its own.
macro_rules! on_vault {
    ($($test:ident;)*) => {
        $(#[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            let dir = tempfile::tempdir().unwrap();
            let home = Home::open(dir.path()).await.unwrap();
            vault::$test(&home.vault).await;
        })*
    };
}

on_vault! {
    bytes_come_back_under_their_hash;
    what_is_not_there_or_no_hash_is_told;
    many_writers_of_the_same_bytes_agree;
    what_was_not_put_for_long_can_be_removed;
}

#[tokio::test]
async fn files_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    vault::files_are_taken_over(&Folder::open(&dir.path().join("vault")).unwrap(), dir.path()).await;
}

#[tokio::test]
async fn changed_bytes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let change = |name: &str| {
        std::fs::write(dir.path().join(&name[..2]).join(&name[2..4]).join(name), b"Evidence").unwrap();
    };
    vault::changed_bytes_are_named(&folder, change).await;
}

fn audit_of(title: &str, fixture: &str) -> Audit {
    let pack = Pack::load(&Source::embedded()).unwrap();
    let policy = pack.policies["bj-in-force"].clone();
    let auditor =
        Auditor { pack: pack.into(), policy, budget: Budget::default(), registers: std::sync::Arc::default() };
    let bytes = std::fs::read(format!("{}/tests/fixtures/apks/{fixture}.apk", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let listing = xunjian::model::Listing {
        title: title.into(),
        store: "s".into(),
        package: "cn.a".into(),
        ..Default::default()
    };
    auditor.conclude(Some(&listing), vec![auditor.read("a.apk", &sha256(&bytes), &bytes).unwrap()])
}

#[tokio::test]
async fn a_state_is_found_again_and_a_later_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.sqlite");
    let first = Database::sqlite(&path).await.unwrap();
    state::skips_are_counted_once(&first).await;
    first.close().await;
    let again = Database::sqlite(&path).await.unwrap();
    let run = xunjian::store::State::runs(&again, 1).await.unwrap()[0].id;
    assert_eq!(xunjian::store::State::skips(&again, run, 0, 9).await.unwrap().len(), 2);
    again.close().await;
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = x'00'").execute(&raw).await.unwrap();
    let tampered = sqlx::query("UPDATE reviews SET note = ''").execute(&raw).await;
    assert!(tampered.is_ok(), "nothing to update yet");
    raw.close().await;
    assert!(matches!(Database::sqlite(&path).await, Err(xunjian::store::StoreError::Schema(_))));
}

/// Table, column, type and whether it may be NULL, as one engine has them.
type Columns = std::collections::BTreeSet<(String, String, &'static str, bool)>;

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn both_engines_have_the_same_tables() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.sqlite");
    Database::sqlite(&path).await.unwrap().close().await;
    let raw = sqlx::SqlitePool::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let rows: Vec<(String, String, String, bool, i64)> = sqlx::query_as(
        "SELECT m.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&raw)
    .await
    .unwrap();
    raw.close().await;
    let sqlite: Columns = rows
        .into_iter()
        // SQLite says of a key's only column that it may be NULL, and means that it is the row's number.
        .map(|(table, column, kind, is_set, key)| (table, column, of_sqlite(&kind), !is_set && key == 0))
        .collect();
    assert!(sqlite.len() > 100, "{}", sqlite.len());
    let schema = services::postgres().await;
    Database::postgres(&schema.address).await.unwrap().close().await;
    let raw = sqlx::PgPool::connect(&schema.server).await.unwrap();
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text
         FROM information_schema.columns WHERE table_schema = $1 AND table_name NOT LIKE '\\_%'
           AND table_name NOT IN ('hosts', 'turns')",
    )
    .bind(&schema.name)
    .fetch_all(&raw)
    .await
    .unwrap();
    let postgres: Columns = rows
        .into_iter()
        .map(|(table, column, kind, null)| (table, column, of_postgres(&kind), null == "YES"))
        .collect();
    assert_eq!(sqlite, postgres);
}

fn of_sqlite(kind: &str) -> &'static str {
    match kind {
        "INTEGER" => "number",
        "REAL" => "fraction",
        "TEXT" => "text",
        "BLOB" => "bytes",
        other => panic!("{other}"),
    }
}

fn of_postgres(kind: &str) -> &'static str {
    match kind {
        "bigint" => "number",
        "double precision" => "fraction",
        "text" => "text",
        "bytea" => "bytes",
        other => panic!("{other}"),
    }
}
