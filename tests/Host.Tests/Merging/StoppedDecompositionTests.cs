using Host.Tests.Planning;
using Merge.Compute;
using Merge.Merging;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class StoppedDecompositionTests : IDisposable
{
    private readonly TestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public void A_run_that_is_stopped_does_not_wait_for_a_decomposition_in_managed_code()
    {
        using var stop = new CancellationTokenSource();
        using var released = new ManualResetEventSlim();
        var endless = new Endless(stop, released);
        var plan = Runs.Plan(
            new OneLine(async t => TensorMerge.Combine(t.LinearAlgebra.Svd(await t.Materialize(x => x.Models[0])).Sigma[..1])),
            null,
            _models.Add("a", Shaped("w", DType.F32, 200, 200)));
        var context = new MergeContext
        {
            Plan = plan,
            Method = plan.Strategy.Info.Id,
            Seed = plan.Seed,
            Settings = Runs.TwoThreads,
            Output = new CollectingSink(plan),
            Checksums = new Checksums(),
            Algebra = new(endless, null, stop.Token),
        };
        var stopped = Record.Exception(() => MergeRun.Execute(context, new HashSet<string>(), stop));
        released.Set();
        Assert.IsAssignableFrom<OperationCanceledException>(stopped);
    }

    /// <summary>Is interrupted by the user as soon as it works, and would go on for ever.</summary>
    private sealed class Endless(CancellationTokenSource stop, ManualResetEventSlim released) : INamedLinearAlgebra
    {
        private readonly ManagedLinearAlgebra _managed = new();

        public string Name => _managed.Name;

        public bool CanBeLeft => _managed.CanBeLeft;

        public long SvdBytes(long rows, long columns) => _managed.SvdBytes(rows, columns);

        public Svd Svd(Matrix a)
        {
            stop.Cancel();
            Assert.True(released.Wait(TimeSpan.FromMinutes(1)));
            return _managed.Svd(new(1, 1));
        }

        public Matrix Multiply(Matrix a, Matrix b) => throw new NotSupportedException();

        public SymmetricEigen SymmetricEigen(Matrix a) => throw new NotSupportedException();

        public Qr Qr(Matrix a) => throw new NotSupportedException();

        public Matrix Polar(Matrix a) => throw new NotSupportedException();

        public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance) => throw new NotSupportedException();
    }
}
