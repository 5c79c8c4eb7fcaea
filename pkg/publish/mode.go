package publish

// mode is what a run may do.
type mode int

const (
	modePublish       mode = iota // everything
	modePlan                      // reads registries, builds nothing
	modeOfflinePlan               // reads nothing but the release file and the event
	modeDryRun                    // every stage, on an overlay
	modeOfflineDryRun             // every stage, on an overlay with nothing under it
)

// readOnly says that nothing is written to any registry, log or store, and that what cannot be read is not fatal.
func (m mode) readOnly() bool { return m != modePublish }

// planned says that the run ends with its plan.
func (m mode) planned() bool { return m == modePlan || m == modeOfflinePlan }

func (m mode) dryRun() bool { return m == modeDryRun || m == modeOfflineDryRun }

// offline says that nothing leaves this machine.
func (m mode) offline() bool { return m == modeOfflinePlan || m == modeOfflineDryRun }
