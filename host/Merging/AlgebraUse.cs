using System.Collections.Concurrent;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>
/// Which tensors linear algebra was used for, and whose: its bits are the same on one machine, not on every one, so the
/// manifest says which it was, and an interrupted merge that goes on with another begins those tensors anew.
/// </summary>
internal sealed class AlgebraUse(INamedLinearAlgebra algebra)
{
    private readonly ConcurrentDictionary<string, bool> _tensors = [];

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

    private T Note<T>(TensorPlan plan, Func<INamedLinearAlgebra, T> compute)
    {
        var tensor = plan.Info.Name;
        _tensors[tensor] = true;
        try
        {
            return compute(algebra);
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

    private sealed class OfTensor(AlgebraUse use, TensorPlan tensor) : ILinearAlgebra
    {
        public Matrix Multiply(Matrix a, Matrix b) => use.Note(tensor, l => l.Multiply(a, b));

        public Svd Svd(Matrix a) => use.Note(tensor, l => l.Svd(a));

        public SymmetricEigen SymmetricEigen(Matrix a) => use.Note(tensor, l => l.SymmetricEigen(a));

        public Qr Qr(Matrix a) => use.Note(tensor, l => l.Qr(a));

        public Matrix Polar(Matrix a) => use.Note(tensor, l => l.Polar(a));

        public Matrix? SolvePositive(Matrix a, Matrix b, double tolerance) =>
            use.Note(tensor, l => l.SolvePositive(a, b, tolerance));
    }
}
