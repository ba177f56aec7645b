//! To whom a satellite belongs, and as which node: whoever says Hello first. Nothing is done for anybody before that,
//! nor for another cluster afterwards.

use crate::model::moment::Uuid;
use crate::model::names::NodeName;

/// Why a satellite does not do what it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unclaimed {
    /// Another cluster said Hello before.
    #[error("this satellite belongs to cluster {0}; restart it to give it to another one")]
    Other(Uuid),
    /// Nobody said Hello.
    #[error("say Hello first")]
    Nobody,
}

/// The owner, once there is one.
#[derive(Debug, Clone, Default)]
pub struct Belonging(Option<(Uuid, NodeName)>);

impl Belonging {
    /// Somebody says Hello.
    ///
    /// # Errors
    /// It belongs to another cluster.
    pub fn claim(&mut self, cluster: Uuid, node: NodeName) -> Result<(), Unclaimed> {
        match &self.0 {
            Some((known, _)) if *known != cluster => Err(Unclaimed::Other(*known)),
            _ => {
                self.0 = Some((cluster, node));
                Ok(())
            }
        }
    }

    /// As which node; `None` while it belongs to nobody.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        self.0.as_ref().map(|(_, node)| node)
    }

    /// Whether orders are taken.
    ///
    /// # Errors
    /// Nobody said Hello.
    pub fn check(&self) -> Result<(), Unclaimed> {
        self.node().map(|_| ()).ok_or(Unclaimed::Nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_first_has_it() {
        let node = |name| NodeName::parse(name).expect("legal");
        let mut belonging = Belonging::default();
        assert_eq!(belonging.check(), Err(Unclaimed::Nobody));
        assert_eq!(belonging.claim(Uuid(1), node("alpha")), Ok(()));
        assert_eq!(belonging.claim(Uuid(2), node("beta")), Err(Unclaimed::Other(Uuid(1))));
        assert_eq!((belonging.check(), belonging.node()), (Ok(()), Some(&node("alpha"))));
        assert_eq!(belonging.claim(Uuid(1), node("beta")), Ok(()));
        assert_eq!(belonging.node(), Some(&node("beta")), "the cluster may call it otherwise");
    }
}
