//! Services that some engines stand on. Tests that need one are `#[ignore]`d and say so; run with
//! `--include-ignored`, as `.ci/run` does, they fail where it is missing.

use std::sync::atomic::{AtomicU32, Ordering};

/// A name no other test has.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("{prefix}_{}_{}_{nanos:x}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A schema of PostgreSQL for one test, gone with it.
pub struct Schema {
    /// Address with the schema.
    pub address: String,
    /// Address of the database.
    pub server: String,
    /// The schema.
    pub name: String,
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name));
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let pool = sqlx::PgPool::connect(&server).await.ok()?;
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.ok()
            });
        });
        let _ = dropping.join();
    }
}

/// A fresh schema on the server at `XUNJIAN_TEST_POSTGRES`, else on the one of this machine.
pub async fn postgres() -> Schema {
    let server = std::env::var("XUNJIAN_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/test?sslmode=disable".into());
    let options = sqlx::postgres::PgPoolOptions::new().acquire_timeout(std::time::Duration::from_secs(5));
    match options.connect(&server).await {
        Ok(pool) => pool.close().await,
        Err(error) => panic!("this test needs PostgreSQL: {error}"),
    }
    let name = unique("t");
    let sign = if server.contains('?') { '&' } else { '?' };
    Schema { address: format!("{server}{sign}schema={name}"), server, name }
}

/// Streams of NATS for one test, gone with it.
pub struct Streams {
    /// Address of the server.
    pub server: String,
    name: String,
}

impl Drop for Streams {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let context = async_nats::jetstream::new(async_nats::connect(&server).await.ok()?);
                for stage in ["asked", "catalogue", "listing", "package", "picture", "audit", "deliver", "dead"] {
                    let _ = context.delete_stream(format!("{name}-{stage}")).await;
                }
                Some(())
            });
        });
        let _ = dropping.join();
    }
}

/// Streams that begin with `name` on the server at `XUNJIAN_TEST_NATS`, else on the one of this machine.
pub async fn nats(name: &str) -> Streams {
    let server = std::env::var("XUNJIAN_TEST_NATS").unwrap_or_else(|_| "nats://127.0.0.1:4222".into());
    let options = async_nats::ConnectOptions::new().connection_timeout(std::time::Duration::from_secs(5));
    match options.connect(&server).await {
        Ok(_) => Streams { server, name: name.to_owned() },
        Err(error) => panic!("this test needs NATS: {error}"),
    }
}

/// An S3-compatible server of this process's own (PyPI `moto`).
pub struct S3 {
    child: std::sync::Mutex<std::process::Child>,
    port: u16,
}

impl Drop for S3 {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl S3 {
    /// A fresh bucket's address.
    pub async fn bucket(&self) -> String {
        let name = unique("b").replace('_', "-");
        let url = format!("http://127.0.0.1:{}/{name}", self.port);
        let made = http().put(&url).send().await.unwrap();
        assert!(made.status().is_success(), "{}", made.status());
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:*",
                "Resource":["arn:aws:s3:::{name}","arn:aws:s3:::{name}/*"]}}]}}"#
        );
        let open = http().put(format!("{url}?policy")).body(policy).send().await.unwrap();
        assert!(open.status().is_success(), "{}", open.status());
        format!("s3://{name}/vault?endpoint=http://127.0.0.1:{}&region=us-east-1&unsigned=true", self.port)
    }

    /// Puts other bytes under a name, behind the vault's back.
    pub async fn overwrite(&self, address: &str, sha256: &str, bytes: &[u8]) {
        let bucket = address.strip_prefix("s3://").unwrap().split('/').next().unwrap();
        let key = format!("vault/{}/{}/{sha256}", &sha256[..2], &sha256[2..4]);
        let url = format!("http://127.0.0.1:{}/{bucket}/{key}", self.port);
        assert!(http().head(&url).send().await.unwrap().status().is_success(), "it is there, and nowhere else");
        assert!(http().put(&url).body(bytes.to_vec()).send().await.unwrap().status().is_success());
    }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// The server, started when the first test asks and ended with the last.
pub async fn s3() -> std::sync::Arc<S3> {
    static RUNNING: tokio::sync::Mutex<std::sync::Weak<S3>> = tokio::sync::Mutex::const_new(std::sync::Weak::new());
    let mut running = RUNNING.lock().await;
    if let Some(s3) = running.upgrade() {
        return s3;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = std::process::Command::new("moto_server")
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let child = child.expect("this test needs moto_server: pip install 'moto[server]'");
    let child = std::sync::Mutex::new(child);
    let s3 = std::sync::Arc::new(S3 { child, port });
    for _ in 0..300 {
        if http().get(format!("http://127.0.0.1:{port}/")).send().await.is_ok() {
            *running = std::sync::Arc::downgrade(&s3);
            return s3;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("moto_server does not answer");
}
