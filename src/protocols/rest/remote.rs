//! Remotes on the wire, as far as listing goes. Never holds a key: answers leave them out.

shapes! {
    /// Every remote.
    RemoteList {
        may {
            /// Buckets.
            s3_remotes: Vec<S3Remote>,
            /// Other clusters.
            linstor_remotes: Vec<LinstorRemote>,
            /// Zones of a cloud.
            ebs_remotes: Vec<EbsRemote>,
        }
    }

    /// A bucket.
    S3Remote {
        must {
            /// Name.
            remote_name: String,
            /// Address of the service.
            endpoint: String,
            /// The bucket.
            bucket: String,
            /// Its region.
            region: String,
        }
    }

    /// Another cluster.
    LinstorRemote {
        must {
            /// Name.
            remote_name: String,
            /// Address of its API.
            url: String,
        }
    }

    /// A zone of a cloud.
    EbsRemote {
        must {
            /// Name.
            remote_name: String,
            /// Address of the service.
            endpoint: String,
        }
        may {
            /// The region.
            region: String,
            /// The zone.
            availability_zone: String,
        }
    }
}
