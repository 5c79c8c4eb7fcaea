// Command trillian is a Trillian log server and its sequencer in one process over memory: what a CT log and Rekor need
// beneath them. It makes one tree for each name given and prints their ids and its address as one JSON line, then
// serves until standard input ends.
//
// It is a module of its own, so that Trillian's requirements stay out of the program's.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"os"
	"time"

	"github.com/google/trillian"
	"github.com/google/trillian/extension"
	tlog "github.com/google/trillian/log"
	"github.com/google/trillian/monitoring"
	"github.com/google/trillian/quota"
	"github.com/google/trillian/server"
	"github.com/google/trillian/server/admin"
	"github.com/google/trillian/server/interceptor"
	"github.com/google/trillian/storage/memory"
	"github.com/google/trillian/util/clock"
	"github.com/google/trillian/util/election"
	"github.com/google/trillian/util/election2"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/klog/v2"
)

func main() {
	interval := flag.Duration("sequencer-interval", 10*time.Millisecond, "time between two runs of the sequencer")
	flag.Parse()
	quiet := flag.NewFlagSet("klog", flag.PanicOnError)
	klog.InitFlags(quiet)
	_, _ = quiet.Set("logtostderr", "false"), quiet.Set("stderrthreshold", "ERROR")
	klog.SetOutput(io.Discard)
	if err := run(*interval, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(interval time.Duration, names []string) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	trees, metrics := memory.NewTreeStorage(), monitoring.InertMetricFactory{}
	reg := extension.Registry{
		AdminStorage:    memory.NewAdminStorage(trees),
		LogStorage:      memory.NewLogStorage(trees, metrics),
		ElectionFactory: election2.NoopFactory{},
		QuotaManager:    quota.Noop(),
		MetricFactory:   metrics,
	}
	logs, trillianAdmin := server.NewTrillianLogRPCServer(reg, clock.System), admin.New(reg, nil)

	answer := struct {
		Address string           `json:"address"`
		Trees   map[string]int64 `json:"trees"`
	}{Trees: map[string]int64{}}
	for _, name := range names {
		tree, err := trillianAdmin.CreateTree(ctx, &trillian.CreateTreeRequest{Tree: &trillian.Tree{
			TreeState: trillian.TreeState_ACTIVE, TreeType: trillian.TreeType_LOG,
			DisplayName: name, MaxRootDuration: durationpb.New(time.Hour),
		}})
		if err != nil {
			return err
		}
		if _, err := logs.InitLog(ctx, &trillian.InitLogRequest{LogId: tree.TreeId}); err != nil {
			return err
		}
		answer.Trees[name] = tree.TreeId
	}

	sequencer := tlog.NewOperationManager(tlog.OperationInfo{
		Registry: reg, BatchSize: 1000, NumWorkers: 2, RunInterval: interval, TimeSource: clock.System,
		ElectionConfig: election.RunnerConfig{TimeSource: clock.System},
	}, tlog.NewSequencerManager(reg, 0))
	go sequencer.OperationLoop(ctx)

	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	answer.Address = listener.Addr().String()
	checks := interceptor.New(reg.AdminStorage, reg.QuotaManager, false, metrics)
	srv := grpc.NewServer(grpc.ChainUnaryInterceptor(interceptor.ErrorWrapper, checks.UnaryInterceptor))
	trillian.RegisterTrillianLogServer(srv, logs)
	trillian.RegisterTrillianAdminServer(srv, trillianAdmin)
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		srv.Stop()
	}()
	return srv.Serve(listener)
}
