using System.Collections.Concurrent;
using Merge.Compute;
using Merge.Merging.LowRank;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Which tensors linear algebra was used for, and whose: its bits are the same on one machine, not on every one, so the
/// manifest says which it was, and an interrupted merge that goes on with another begins those tensors anew.
/// </summary>
/// <param name="algebra">Whose.</param>
/// <param name="heap">Has room made before it takes much; null: nobody does.</param>
/// <param name="stop">The user's: stops what takes long.</param>
internal sealed class AlgebraUse(INamedLinearAlgebra algebra, ManagedHeap? heap = null, CancellationToken stop = default)
{
    // What takes less is done at once.
    private const long LittleBytes = 1 << 18;

    private readonly ConcurrentDictionary<string, bool> _tensors = [];

    /// <summary>What computes.</summary>
    public INamedLinearAlgebra Own => algebra;

    /// <summary>Whose it is, where any was used; null as a rule.</summary>
    public string? Name => _tensors.IsEmpty ? null : algebra.Name;

    /// <summary>Whose was used for a tensor; null if none was.</summary>
    public string? NameFor(string tensor) => _tensors.ContainsKey(tensor) ? algebra.Name : null;

    /// <summary>Takes over a tensor that an earlier run has finished.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="name">What that run used for it; null: none.</param>
    /// <returns>Whether this run would have come to the same bits.</returns>
    public bool TakeOver(string tensor, string? name)
    {
        if (name is null)
            return true;
        if (name != algebra.Name)
            return false;
        _tensors[tensor] = true;
        return true;
    }

    /// <summary>
    /// What a strategy computes with for one tensor; what it is given wrong is said with the tensor's name, and of a NaN the model
    /// that holds it.
    /// </summary>
    public ILinearAlgebra For(TensorPlan tensor) => new OfTensor(this, tensor);

    /// <summary>That of the process, in one run.</summary>
    public static AlgebraUse OfRun(RunSettings settings, CancellationToken stop) =>
        new(LinearAlgebraChoice.OfProcess, new(settings.Memory / 2), stop);

    private T Note<T>(TensorPlan plan, long bytes, Func<INamedLinearAlgebra, T> compute)
    {
        var tensor = plan.Info.Name;
        _tensors[tensor] = true;
        try
        {
            heap?.Keep(bytes);
            return bytes > LittleBytes && algebra.CanBeLeft ? Stoppable(() => compute(algebra)) : compute(algebra);
        }
        catch (NonFiniteMatrix fault)
        {
            throw new MergeException(
                [.. fault.Diagnostics.Select(d => d with { Where = tensor, Fix = NonFiniteInput.Advice(plan) })], fault);
        }
        catch (MergeException fault) when (fault.Diagnostics.All(d => d.Where is null))
        {
            throw new MergeException([.. fault.Diagnostics.Select(d => d with { Where = tensor })], fault) { WrongUsage = fault.WrongUsage };
        }
    }

    /// <summary>On a thread of its own, which is left behind when the user does not want to wait for it.</summary>
    private T Stoppable<T>(Func<T> compute)
    {
        if (!stop.CanBeCanceled)
            return compute();
        var work = Task.Factory.StartNew(
            compute, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            work.Wait(stop);
        }
        catch (AggregateException)
        {
            // What it threw is thrown below.
        }
        catch (OperationCanceledException)
        {
            throw new WorkInterrupted(stop);
        }
        return work.GetAwaiter().GetResult();
    }

    private sealed class OfTensor(AlgebraUse use, TensorPlan tensor) : ILinearAlgebra
    {
        public Matrix Multiply(Matrix a, Matrix b) =>
            use.Note(tensor, sizeof(double) * (long)a.Rows * b.Columns, l => l.Multiply(a, b));

        public Svd Svd(Matrix a) => use.Note(tensor, use.Own.SvdBytes(a.Rows, a.Columns), l => l.Svd(a));

        public SymmetricEigen SymmetricEigen(Matrix a) =>
            use.Note(tensor, use.Own.SvdBytes(a.Rows, a.Columns), l => l.SymmetricEigen(a));

        public Qr Qr(Matrix a) => use.Note(tensor, WorkMemory.OfQr(a.Rows, a.Columns), l => l.Qr(a));

        public Matrix Polar(Matrix a) => use.Note(tensor, use.Own.SvdBytes(a.Rows, a.Columns), l => l.Polar(a));

        public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance) =>
            use.Note(tensor, sizeof(double) * (a.Rows + (long)b.Columns) * a.Rows, l => l.SolvePositive(a, b, tolerance));
    }
}
