//go:build mutation

package server_test

import (
	"os"
	"sync"
	"testing"

	"github.com/accord-api/accord/contract"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// provoking are the tests that bring about what no case can from outside: that the
// database is away, no place is free, the last administrator goes.
var provoking = map[string]func(*testing.T){
	"no database":       TestEveryOperationWithoutTheDatabase,
	"no free place":     TestNoFreePlace,
	"unreadable":        TestUnreadableRequests,
	"twins":             TestTwinsOfOtherInstances,
	"health":            TestHealth,
	"pages of sessions": TestSessionsAreListedInPages,
	"pages":             TestListsAreWalkedWhole,
	"keys":              TestEveryKindOfKeyIsPublished,
	"old schema":        TestOldSchemaIsNotReady,
	"last admin":        TestTheLastAdminStays,
	"live routes":       TestLiveRoutesKeepTheContract,
	// bare-drops {
	"new passwords":     TestNotificationsOfNewPasswords,
	"free orders":       TestFreeOrder,
	"searches":          TestProductSearch,
	"pages of products": TestProductPages,
	"entity tags":       TestIfMatch,
	"dashboard":         TestDashboard,
	"part of it":        TestDashboardWithoutAPart,
	"reports":           TestReports,
	"failed report":     TestReportFails,
	"progress":          TestProgressOfAReport,
	"cancelled report":  TestCancelReport,
	"report of a file":  TestReportIsDownloaded,
	"order steps":       TestOrderSteps,
	"order lists":       TestOrderLists,
	"users with orders": TestUsersWithOrders,
	"files":             TestFiles,
	"list of files":     TestListFiles,
	"parts":             TestDownloadInParts,
	"conditions":        TestDownloadConditions,
	"names":             TestUploadNames,
	"quota":             TestQuota,
	// bare-drops }
}

// Each change of one thing in the document is noticed: by a case, or since nothing
// ever came as the change has it.
func TestMutationScore(t *testing.T) { //nolint:paralleltest // what is recorded has to be there before it is used
	var recorded []contract.Recorded
	var mu sync.Mutex
	servertest.Record(func(r servertest.Recorded) {
		mu.Lock()
		defer mu.Unlock()
		recorded = append(recorded, contract.Recorded(r))
	})
	t.Run("provoked", func(t *testing.T) { //nolint:paralleltest // the score waits for it
		for name, test := range provoking {
			t.Run(name, test) //nolint:paralleltest // each says t.Parallel itself
		}
	})
	servertest.Record(nil)

	d, err := contract.Parse("gen/api/openapi.json", api.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	target := contractTarget(t, 60, 600)
	target.Recorded = recorded
	score, err := contract.Mutate(t.Context(), d, target, func(done, of int) {
		if done%100 == 0 {
			t.Logf("%d of %d", done, of)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := score.Write(os.Stdout); err != nil {
		t.Fatal(err)
	}
	for _, o := range score.Baseline.Failed() {
		t.Errorf("%s: %s: %s (%s)", o.Operation, o.Name, o.Failures[0].Text, o.Failures[0].Pointer)
	}
	if survivors := score.Survivors(); len(survivors) > 0 || len(score.Mutants) < minMutants {
		t.Errorf("%d of %d mutants survived, want none of at least %d", len(survivors), len(score.Mutants), minMutants)
	}
}

const minMutants = 2000 // bare-drops
// bare-has: const minMutants = 500
