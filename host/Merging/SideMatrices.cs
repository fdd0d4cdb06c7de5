using System.Collections.Immutable;
using Merge.Checkpoints;
using Merge.Compute;
using Merge.Planning;
using Merge.Sdk;

namespace Merge.Merging;

/// <summary>Square matrices beside a tensor, read in a sweep of their own as if each were a model's tensor of that shape.</summary>
internal sealed class SideMatrices
{
    // Products summed on a device in another order differ in their last bits, two different matrices by more.
    private const double Asymmetry = 0.01;

    private readonly IReadOnlyList<SideMatrixRequest> _requests;

    private SideMatrices(TensorPlan plan, IReadOnlyList<SideMatrixRequest> requests) => (Plan, _requests) = (plan, requests);

    /// <summary>The matrices as a tensor: model k is what the k-th request asks for.</summary>
    public TensorPlan Plan { get; }

    /// <summary>Takes the requests for matrices out of what is pending; null where there are none.</summary>
    public static SideMatrices? Take(TensorPlan tensor, List<StatRequest> pending)
    {
        SideMatrixRequest[] requests = [.. pending.OfType<SideMatrixRequest>()];
        if (requests.Length == 0)
            return null;
        pending.RemoveAll(r => r is SideMatrixRequest);
        ImmutableArray<SideTensor> sides = [.. requests.Select(r => Matrix(tensor, r))];
        var size = tensor.Info.RowLength;
        return new(
            tensor with
            {
                Info = new TensorInfo(tensor.Info.Name, [size, size], tensor.Info.Kind, tensor.Info.Layer),
                Models = [.. sides.Select(s => s.Whole!)],
                Base = null,
                Sides = sides,
            },
            requests);
    }

    /// <summary>What gives every request its matrix.</summary>
    public TensorStatistics Statistics(RunContext context)
    {
        var scan = new TensorScan(Plan.Info, _requests.Count, false, (_, _) => false, context.Algebra.For(Plan));
        foreach (var (k, request) in _requests.Index())
        {
            var stored = scan.Materialize(b => b.Models[k]);
            stored.OnCompleted(() => request.Stat.Complete(Symmetric(stored.GetAwaiter().GetResult(), Plan.Models[k])));
        }
        return new TensorStatistics(Plan.Info, [.. scan.Pending], [], context.Compiler, key => Plan.Stored(key).DType, context.Seed);
    }

    private static SideTensor Matrix(TensorPlan tensor, SideMatrixRequest request) =>
        tensor.Side(request.Name, request.Model) is { Shape: SideShape.InputGram } side ? side : throw MergeException.Plugin(
            $"side input '{request.Name}' is asked for as a matrix, and has the tensor's shape",
            where: tensor.Info.Name,
            fix: "Use Block.Side, or declare it with SideShape.InputGram.");

    private static Matrix Symmetric(Matrix gram, TensorSource stored)
    {
        for (var i = 0; i < gram.Rows; i++)
        {
            if (gram[i, i] < 0)
                throw NoGram(stored, $"has {gram[i, i]:G4} at [{i}, {i}]");
        }
        for (var i = 0; i < gram.Rows; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (below, above) = (gram[i, j], gram[j, i]);
                if (Math.Abs(below - above) > Asymmetry * Math.Sqrt(gram[i, i] * gram[j, j]))
                    throw NoGram(stored, $"has {below:G4} at [{i}, {j}] and {above:G4} at [{j}, {i}]");
                gram[i, j] = gram[j, i] = (below + above) / 2;
            }
        }
        return gram;
    }

    private static InputFault NoGram(TensorSource stored, string found) => new(new Diagnostic($"side tensor '{stored.Name}' {found}")
    {
        Expected = "the Gram matrix XᵀX of the layer's inputs: symmetric, never negative on its diagonal",
        Where = stored.Files.First().Path,
        Fix = "Is it a file of weights? Give the file of the model's Gram matrices.",
    });
}
