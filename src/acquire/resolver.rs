//! Names to addresses, none but public ones.
//!
//! What comes out of here is what is connected to: a name that resolves to something else a
//! moment later (rebinding) gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::{Refused, is_public};

/// Addresses of a name, looked up.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who looks names up.
pub trait Names: Send + Sync {
    /// All addresses of a name.
    fn look_up(&self, name: &str) -> Lookup;
}

/// The system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, name: &str) -> Lookup {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// A resolver for the HTTP client that lets public addresses through.
pub(super) struct Guarded {
    pub(super) names: Arc<dyn Names>,
    pub(super) allow_private: bool,
    /// The configured proxy may stand in the operator's own network.
    pub(super) proxy: Option<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let looked_up = self.names.look_up(name.as_str());
        let name = name.as_str().to_owned();
        let allows_all = self.allow_private || self.proxy.as_deref() == Some(&name);
        Box::pin(async move {
            let all = looked_up.await?;
            let kept: Vec<SocketAddr> =
                all.iter().filter(|a| allows_all || is_public(**a)).map(|a| SocketAddr::new(*a, 0)).collect();
            match all.first() {
                Some(&address) if kept.is_empty() => Err(Refused::Name { name, address }.into()),
                None => Err(io::Error::new(io::ErrorKind::NotFound, format!("{name} has no address")).into()),
                Some(_) => Ok(Box::new(kept.into_iter()) as Addrs),
            }
        })
    }
}
