package publish

import "context"

// Publish runs every stage. The report is there on failure too, and has been written to the output directory; the error
// is an *Error.
func Publish(ctx context.Context, o Options) (*Report, error) {
	return newRun(ctx, o, modePublish).execute(ctx)
}
