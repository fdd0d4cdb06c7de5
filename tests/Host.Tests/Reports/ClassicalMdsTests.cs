using Merge.Compute;
using Merge.Reports;
using Merge.Sdk;

namespace Host.Tests.Reports;

public class ClassicalMdsTests
{
    private static readonly ManagedLinearAlgebra _algebra = new();

    [Fact]
    public void Points_of_a_plane_keep_their_distances()
    {
        double[][] places = [[0, 0, 0], [3, 0, 3], [1, 2, -1], [5, 1, 4], [2, 2, 0]];
        var gram = Gram(places);
        var map = ClassicalMds.Of(gram, _algebra)!;
        Assert.Equal(1, map.Shares.X + map.Shares.Y, 10);
        Assert.True(map.Shares.X >= map.Shares.Y);
        for (var i = 0; i < places.Length; i++)
        {
            for (var j = 0; j < places.Length; j++)
            {
                var (a, b) = (map.Points[i], map.Points[j]);
                var distance = Math.Sqrt(places[i].Zip(places[j], (x, y) => (x - y) * (x - y)).Sum());
                Assert.Equal(distance, Math.Sqrt(((a.X - b.X) * (a.X - b.X)) + ((a.Y - b.Y) * (a.Y - b.Y))), 10);
                Assert.Equal(distance, ClassicalMds.Distance(gram, i, j), 10);
            }
        }
    }

    [Fact]
    public void Where_the_origin_lies_does_not_matter()
    {
        double[][] places = [[0, 0], [3, 1], [1, 2]];
        var (here, there) = (ClassicalMds.Of(Gram(places), _algebra)!,
            ClassicalMds.Of(Gram([.. places.Select(p => new[] { p[0] + 7, p[1] - 4 })]), _algebra)!);
        Assert.All(here.Points.Zip(there.Points), p => Assert.Equal(p.First.X, p.Second.X, 10));
    }

    [Fact]
    public void Of_a_tetrahedron_a_plane_shows_two_thirds()
    {
        var map = ClassicalMds.Of(Gram([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]), _algebra)!;
        Assert.Equal(2 / 3.0, map.Shares.X + map.Shares.Y, 10);
    }

    [Fact]
    public void One_model_or_equal_models_are_one_point()
    {
        Assert.Equal([(0, 0)], ClassicalMds.Of(Gram([[3, 4]]), _algebra)!.Points);
        var equal = ClassicalMds.Of(Gram([[3, 4], [3, 4], [3, 4]]), _algebra)!;
        Assert.All(equal.Points, p => Assert.Equal((0, 0), p));
        Assert.Equal((0, 0), equal.Shares);
    }

    [Fact]
    public void Weights_that_are_no_numbers_have_no_map() =>
        Assert.Null(ClassicalMds.Of(Gram([[1, 2], [double.NaN, 0]]), _algebra));

    [Fact]
    public void Cosines_are_those_of_the_angles()
    {
        var gram = Gram([[1, 0], [1, 1], [-2, 0], [0, 0]]);
        Assert.Equal(Math.Sqrt(0.5), ClassicalMds.Cosine(gram, 0, 1), 12);
        Assert.Equal(-1, ClassicalMds.Cosine(gram, 0, 2), 12);
        Assert.True(double.IsNaN(ClassicalMds.Cosine(gram, 0, 3)));
        Assert.True(double.IsNaN(ClassicalMds.Cosine(gram, 3, 3)));
    }

    private static Matrix Gram(double[][] places)
    {
        var gram = new Matrix(places.Length, places.Length);
        for (var i = 0; i < places.Length; i++)
        {
            for (var j = 0; j < places.Length; j++)
                gram[i, j] = places[i].Zip(places[j], (x, y) => x * y).Sum();
        }
        return gram;
    }
}
