//! `xunjian serve`: the reviewers' page.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use tokio::net::TcpListener;

use super::Exit;
use super::asked::Asked;
use super::config::ConfigArgs;
use super::deliver::secret_of;
use super::home::{HomeArgs, runtime};
use super::network::NetworkArgs;
use super::run::{GroundsArgs, told_to_stop};
use super::usage::{OrUsage, ensure_usage, usage};
use crate::acquire::Client;
use crate::feed::is_safe;
use crate::review::{Oidc, Options, serve};
use crate::runs::evidence::Stamping;
use crate::store::People;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    home: HomeArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    grounds: GroundsArgs,
    /// Address to listen on. Others than this machine's own can reach it only if told so here.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8700")]
    listen: SocketAddr,
    /// Host name that the page is reached by, e.g. `xunjian.example.org`. May be given several times.
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
    /// File with the secret shared with the case backend, to take its lists. Default: `XUNJIAN_FEED_SECRET`.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Issuer of an OpenID Connect server that people may sign in by; they are added here by name first.
    #[arg(long, value_name = "URL", requires_all = ["oidc_client", "page"])]
    oidc: Option<String>,
    /// What this page is called there. Its secret, if it has one: `XUNJIAN_OIDC_SECRET`.
    #[arg(long, value_name = "ID")]
    oidc_client: Option<String>,
    /// Address that people reach this page by, e.g. `https://xunjian.example.org`.
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// Name of this installation in events, as `xunjian feed` is told it.
    #[arg(long, value_name = "URI", default_value = "urn:xunjian")]
    source: String,
    /// A proxy in front speaks TLS: cookies are sent over nothing else.
    #[arg(long)]
    behind_tls: bool,
}

impl Args {
    /// The configuration that holds.
    pub(super) fn config(&self) -> &ConfigArgs {
        &self.network.config
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        let config = args.network.config.load()?;
        let home = args.home.open_by(&config).await?;
        if home.state.people().await?.is_empty() {
            tracing::warn!("nobody can sign in yet; add a person with `xunjian people add NAME --role lead`");
        }
        let (secret, registers) = (secret_of(args.secret_file.as_deref())?, args.grounds.registers.folder());
        ensure_usage!(
            secret.is_none() || registers.is_some(),
            "--registers is missing: with a secret the case backend's lists are taken; name the folder they are kept in"
        );
        let listener =
            TcpListener::bind(args.listen).await.or_usage(|| format!("--listen {}: cannot be used", args.listen))?;
        let address = listener.local_addr().context("the listener has no address")?;
        if !address.ip().is_loopback() && !args.behind_tls {
            tracing::warn!(%address, "others can reach the page, and passwords travel unencrypted: put a TLS proxy in front");
        }
        // On stdout, for people and for scripts that wait for it.
        println!("http://{address}/");
        let options = Options {
            stores: args.network.stores()?.all().map(|store| store.id.clone()).collect(),
            package_bytes: config.caps.package_bytes,
            free_bytes: config.caps.free_bytes,
            registers,
            secret,
            source: args.source.clone(),
            page: args.page.clone().unwrap_or_default(),
            oidc: oidc(args)?,
            names: args.names.iter().map(|n| n.to_ascii_lowercase()).collect(),
            is_behind_tls: args.behind_tls,
            stamping: Stamping::of(&config.evidence, &Arc::new(Client::new(&config)?)),
        };
        let asked = Asked {
            home: home.clone(),
            network: args.network.clone(),
            grounds: args.grounds.clone(),
            stop: Arc::default(),
        };
        let mut workers = asked.start();
        serve(listener, home.clone(), options, told_to_stop()).await.context("the page broke down")?;
        asked.stop.store(true, Ordering::Relaxed);
        while workers.join_next().await.is_some() {}
        home.state.close().await;
        Ok(Exit::Clean)
    })
}

/// The server that says who somebody is.
fn oidc(args: &Args) -> anyhow::Result<Option<Oidc>> {
    let (Some(issuer), Some(client), Some(page)) = (&args.oidc, &args.oidc_client, &args.page) else {
        return Ok(None);
    };
    let is_safe = url::Url::parse(issuer).is_ok_and(|url| is_safe(&url));
    ensure_usage!(is_safe, "--oidc: people sign in over https only, except on this machine");
    let secret = std::env::var("XUNJIAN_OIDC_SECRET").ok();
    Ok(Some(Oidc::new(issuer, client, secret, page).map_err(|error| usage!("--oidc: {error}"))?))
}
