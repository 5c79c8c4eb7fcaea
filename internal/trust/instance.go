package trust

// Instance is an installation of Sigstore: its services, whom to trust, and what its bundles must carry.
type Instance struct {
	Services Services
	Roots    Material
	Requires Requirements
}

// Requirements are the witnesses that every bundle of an instance must carry, each verified under its trusted root. The
// zero value asks for none, and no policy accepts it.
type Requirements struct {
	SCT            bool // a signed certificate timestamp in the certificate
	Log            bool // an entry of the transparency log, with its proof of inclusion
	IntegratedTime bool // the log's signed time; asks for an entry, too
	Timestamp      bool // a signed timestamp (RFC 3161)
}

// NeedsTime reports whether a witnessed time is asked for. Without one nobody knows whether a certificate was valid when
// it signed.
func (r Requirements) NeedsTime() bool { return r.IntegratedTime || r.Timestamp }

// PublicGood is Sigstore's public-good instance, whose services and root FromTUF reads. Its bundles carry every witness
// that there is.
func PublicGood(services Services, roots Material) Instance {
	return Instance{Services: services, Roots: roots, Requires: Requirements{SCT: true, Log: true, IntegratedTime: true, Timestamp: true}}
}

// Custom is the instance of a signing config or a trusted root that the user gave. Its bundles carry what the
// public-good instance's do; a timestamp is asked for where the services have an authority.
func Custom(services Services, roots Material) Instance {
	return Instance{Services: services, Roots: roots, Requires: Requirements{SCT: true, Log: true, IntegratedTime: true, Timestamp: services.TSA != ""}}
}
