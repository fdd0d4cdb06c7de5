using Merge.Checkpoints;
using Merge.Compute;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;

namespace Host.Tests.Merging;

public sealed class SchedulerTests : IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    public void Dispose() => _stop.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void Every_part_of_many_jobs_runs_once_and_phases_in_order(int threads)
    {
        var jobs = Enumerable.Range(0, 500).Select(i => new CountingJob(Context(), i % 4, 1 + (i % 3))).ToArray();
        new Scheduler(threads, _stop).Run(jobs);
        Assert.All(jobs, j => Assert.Equal(j.Phases * j.Parts, j.Ran));
        Assert.All(jobs, j => Assert.True(j.IsDone));
        Assert.All(jobs, j => Assert.True(j.WasInOrder));
    }

    [Fact]
    public void No_jobs_at_all_is_nothing_to_do() => new Scheduler(3, _stop).Run([]);

    [Fact]
    public void Jobs_are_enumerated_only_as_workers_become_free()
    {
        var started = 0;
        var open = 0;
        var most = 0;
        new Scheduler(2, _stop).Run(Enumerable.Range(0, 100).Select(_ =>
        {
            started++;
            most = Math.Max(most, ++open);
            return new CountingJob(Context(), 1, 1) { Done = () => Interlocked.Decrement(ref open) };
        }));
        Assert.Equal(100, started);
        Assert.InRange(most, 1, 3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_part_that_throws_stops_all_workers_and_comes_out(int threads)
    {
        var ran = 0;
        var jobs = Enumerable.Range(0, 10_000).Select(i => new CountingJob(Context(), 1, 1)
        {
            Part = () =>
            {
                Interlocked.Increment(ref ran);
                if (i == 20)
                    throw new InvalidDataException("part 20");
                if (i > 20)
                    _stop.Token.WaitHandle.WaitOne();
            },
        });
        var thrown = Assert.Throws<InvalidDataException>(() => new Scheduler(threads, _stop).Run(jobs));
        Assert.Equal("part 20", thrown.Message);
        Assert.InRange(ran, 21, 21 + threads);
        Assert.True(_stop.IsCancellationRequested);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(100)]
    [InlineData(300)]
    public void Jobs_hold_no_more_together_than_there_is_room_for_but_each_gets_its_turn(long each)
    {
        var (held, most, gate) = (0L, 0L, new Lock());
        void Hold(long bytes)
        {
            lock (gate)
                most = Math.Max(most, held += bytes);
        }

        var jobs = Enumerable.Range(0, 200).Select(i =>
        {
            var begun = 0;
            return new CountingJob(Context(), 2, 3)
            {
                Held = each,
                Part = () => Hold(Interlocked.Increment(ref begun) == 1 ? each : 0),
                Done = () => Hold(-each),
            };
        }).ToArray();
        new Scheduler(8, _stop, room: 100).Run(jobs);
        Assert.All(jobs, j => Assert.True(j.IsDone));
        Assert.InRange(most, each, Math.Max(100, each));
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(99, false)]
    public void What_a_job_could_use_beside_it_gets_where_there_is_room(long room, bool granted)
    {
        var job = new CountingJob(Context(), 2, 3) { Held = 60, Wished = 40 };
        new Scheduler(2, _stop, room).Run([job]);
        Assert.Equal(granted ? 1 : 0, job.Granted);
        Assert.True(job.IsDone);
    }

    [Fact]
    public void While_a_job_waits_for_memory_all_workers_help_the_one_that_holds_it()
    {
        using var together = new Barrier(2);
        var alone = 0;
        var jobs = Enumerable.Range(0, 20).Select(_ => new CountingJob(Context(), 1, 2)
        {
            Held = 60,
            Part = () => alone += together.SignalAndWait(TimeSpan.FromMinutes(1)) ? 0 : 1,
        });
        new Scheduler(2, _stop, room: 100).Run(jobs);
        Assert.Equal(0, alone);
    }

    [Fact]
    public void The_first_fault_comes_out_not_what_it_brings_about()
    {
        var jobs = Enumerable.Range(0, 2).Select(i => new CountingJob(Context(), 1, 1)
        {
            Part = () =>
            {
                if (i == 0)
                    throw new InvalidDataException("first");
                _stop.Token.WaitHandle.WaitOne();
                _stop.Token.ThrowIfCancellationRequested();
            },
        });
        Assert.Throws<InvalidDataException>(() => new Scheduler(2, _stop).Run(jobs));
    }

    [Fact]
    public void A_job_that_throws_between_phases_or_while_being_made_comes_out()
    {
        Assert.Throws<InvalidDataException>(() => new Scheduler(2, _stop).Run(
            [new CountingJob(Context(), 1, 1) { Done = () => throw new InvalidDataException() }]));
        using var other = new CancellationTokenSource();
        Assert.Throws<FormatException>(() => new Scheduler(2, other).Run(
            Enumerable.Range(0, 1).Select(CountingJob (_) => throw new FormatException())));
    }

    [Fact]
    public void Cancelling_stops_the_run_before_the_next_part()
    {
        var ran = 0;
        var jobs = Enumerable.Range(0, 1000).Select(_ => new CountingJob(Context(), 1, 5)
        {
            Part = () =>
            {
                if (Interlocked.Increment(ref ran) == 7)
                    _stop.Cancel();
            },
        });
        Assert.Throws<OperationCanceledException>(() => new Scheduler(1, _stop).Run(jobs));
        Assert.Equal(7, ran);
    }

    [Fact]
    public void Cancelled_before_the_start_nothing_runs()
    {
        _stop.Cancel();
        var job = new CountingJob(Context(), 1, 1);
        Assert.Throws<OperationCanceledException>(() => new Scheduler(2, _stop).Run([job]));
        Assert.Equal(0, job.Ran);
    }

    private static RunContext Context() => new()
    {
        Method = "tests",
        Seed = 0,
        Settings = new RunSettings(),
        Checksums = new Checksums(),
    };

    private sealed class CountingJob(RunContext context, int phases, int parts) : IJob
    {
        private int _begun;
        private int _ran;

        public int Phases => phases;

        public int Parts => parts;

        public int Ran => _ran;

        public long Held { get; init; }

        public long Wished { get; init; }

        public int Granted { get; private set; }

        public bool IsDone { get; private set; }

        public bool WasInOrder { get; private set; } = true;

        public Action Part { get; init; } = () => { };

        public Action Done { get; init; } = () => { };

        public Phase? Next()
        {
            WasInOrder &= _ran == _begun * parts;
            if (_begun++ < phases)
                return new CountingPhase(this, context);
            Done();
            IsDone = true;
            return null;
        }

        private sealed class CountingPhase(CountingJob job, RunContext context)
            : Phase(context, TensorPlan.Copy(new("t", [job.Parts], TensorKind.Weight, null), null!, DType.F32), [], 1)
        {
            public override long HeldBytes => job.Held;

            public override long WishedBytes => job.Granted > 0 ? 0 : job.Wished;

            public override void GrantWish() => job.Granted++;

            public override void Run(int part, Worker worker)
            {
                Interlocked.Increment(ref job._ran);
                job.Part();
            }
        }
    }
}
